# The installed tree: programs, headers as <cupel/...>, static libraries, find_package(cupel).
include(GNUInstallDirs)

# In the tree headers include each other from src/; to others they are <cupel/base/error.h>, under
# the same name whether cupel is installed or a subdirectory.
function(cupel_public_headers target)
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/include)
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/src ${PROJECT_BINARY_DIR}/include/cupel SYMBOLIC)
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src> $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/cupel> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endfunction()

function(cupel_install)
  set(folder ${CMAKE_INSTALL_LIBDIR}/cmake/cupel)
  set(libraries cupel_light)
  set_target_properties(cupel_light PROPERTIES EXPORT_NAME cupel)
  add_library(cupel::cupel ALIAS cupel_light)
  if(CUPEL_HEAVY)
    list(APPEND libraries cupel_heavy)
    set_target_properties(cupel_heavy PROPERTIES EXPORT_NAME nn)
    add_library(cupel::nn ALIAS cupel_heavy)
  endif()
  install(TARGETS ${libraries} EXPORT cupelTargets ARCHIVE)
  install(EXPORT cupelTargets NAMESPACE cupel:: DESTINATION ${folder})
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/src/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/cupel
          FILES_MATCHING PATTERN "*.h")
  include(CMakePackageConfigHelpers)
  write_basic_package_version_file(cupelConfigVersion.cmake COMPATIBILITY SameMinorVersion)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/cupelConfig.cmake.in cupelConfig.cmake @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/cupelConfig.cmake ${PROJECT_BINARY_DIR}/cupelConfigVersion.cmake
          ${PROJECT_SOURCE_DIR}/cmake/dependencies.cmake ${PROJECT_SOURCE_DIR}/cmake/FindLibTorch.cmake
          DESTINATION ${folder})
  install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/THIRD_PARTY.md
          DESTINATION ${CMAKE_INSTALL_DOCDIR})
endfunction()
