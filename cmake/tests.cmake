# Tests: every tests/<folder>/<file>_test.cpp, in one program for each half.
function(cupel_tests)
  find_package(GTest REQUIRED)
  file(GLOB_RECURSE light CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/*_test.cpp)
  set(heavy ${light})
  list(FILTER light EXCLUDE REGEX "_nn_test\\.cpp$")
  list(FILTER heavy INCLUDE REGEX "_nn_test\\.cpp$")
  file(GLOB support CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/support/*.cpp)
  set(support_nn ${support})
  list(FILTER support EXCLUDE REGEX "_nn\\.cpp$")
  if(light)
    cupel_test_program(cupel_tests cupel_cli ${light} ${support})
    # Reading gmock takes longer than most tests take to compile.
    target_precompile_headers(cupel_tests PRIVATE <gmock/gmock.h> <gtest/gtest.h> <filesystem> <optional>
                              ${PROJECT_SOURCE_DIR}/src/base/config_doc.h)
    # Names in the tests of a folder differ for it.
    set_target_properties(cupel_tests PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 14)
    cupel_no_library_warnings(cupel_tests)
    # Optimising a test takes longer than running it; the library stays optimised, and so do the
    # loops that results are compared with.
    target_compile_options(cupel_tests PRIVATE -O0)
    if(CUPEL_SANITIZE)
      target_compile_options(cupel_tests PRIVATE -fno-sanitize=undefined)  # the library has it
    endif()
    set_source_files_properties(${PROJECT_SOURCE_DIR}/tests/support/reference_loops.cpp PROPERTIES
      COMPILE_OPTIONS "-O2;-fno-sanitize=all" SKIP_UNITY_BUILD_INCLUSION ON SKIP_PRECOMPILE_HEADERS ON)
  endif()
  if(CUPEL_HEAVY AND heavy)
    cupel_test_program(cupel_nn_tests cupel_heavy ${heavy} ${support_nn})
    target_link_options(cupel_nn_tests PRIVATE "LINKER:--whole-archive,$<TARGET_FILE:cupel_heavy>,--no-whole-archive")
    cupel_share_headers(cupel_nn_tests REUSE_FROM cupel_heavy)
    if(CMAKE_BUILD_TYPE STREQUAL "Dev")
      target_compile_options(cupel_nn_tests PRIVATE -fPIC)  # as the precompiled header, not -fPIE
    else()
      target_compile_options(cupel_nn_tests PRIVATE -O0)
    endif()
  endif()
endfunction()

# One CTest entry a test file, so that a program's start is not paid for every case. Results go to
# <build>/gtest/, where tools/count_gtest.py counts the cases.
function(cupel_test_program name library)
  add_executable(${name} ${ARGN})
  cupel_options(${name})
  # Of a standard function that library and tests have, a linker keeps the first: the optimised one.
  target_link_options(${name} PRIVATE "LINKER:--whole-archive,$<TARGET_FILE:cupel_light>,--no-whole-archive")
  target_link_libraries(${name} PRIVATE ${library} GTest::gmock GTest::gtest_main fmt::fmt)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(${name} PRIVATE CUPEL_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  foreach(source ${ARGN})
    if(NOT source MATCHES "tests/(.*)_test\\.cpp$")
      continue()
    endif()
    string(REPLACE "/" "." entry ${CMAKE_MATCH_1})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
    file(STRINGS ${source} lines REGEX "^(TYPED_)?TEST(_F|_P)?\\(")
    list(TRANSFORM lines REPLACE "^[A-Z_]+\\(([A-Za-z0-9_]+),.*" "\\1.*:*/\\1.*:\\1/*")
    list(REMOVE_DUPLICATES lines)
    list(JOIN lines ":" filter)
    add_test(NAME ${entry} COMMAND ${name} --gtest_filter=${filter} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    # LibTorch's threads wait for one another spinning, as short here as in cupel itself: two programs
    # at once take minutes otherwise.
    set_tests_properties(${entry} PROPERTIES TIMEOUT 600
      ENVIRONMENT "GTEST_OUTPUT=xml:${PROJECT_BINARY_DIR}/gtest/${entry}.xml;GOMP_SPINCOUNT=1000")
  endforeach()
endfunction()

# tests/fuzz/<name>.cpp: a libFuzzer program <build>/fuzz/<name>; tools/run_fuzz.py runs them.
function(cupel_fuzz_targets)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/fuzz/*.cpp)
  foreach(source ${sources})
    get_filename_component(name ${source} NAME_WE)
    add_executable(fuzz_${name} ${source} ${PROJECT_SOURCE_DIR}/tests/support/files.cpp)
    cupel_options(fuzz_${name})
    target_compile_options(fuzz_${name} PRIVATE -fsanitize=fuzzer-no-link)
    target_link_libraries(fuzz_${name} PRIVATE cupel_light)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    target_include_directories(fuzz_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    set_target_properties(fuzz_${name} PROPERTIES OUTPUT_NAME ${name}
                          RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
  endforeach()
endfunction()
