# How folders become two libraries (with and without LibTorch), two programs and their tests.
include(dependencies)
include(tests)
include(install)

find_program(CUPEL_CCACHE ccache)
if(CUPEL_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CUPEL_CCACHE})
endif()

# Our own warnings and flags, for our own files: who links the libraries is not bound by them.
# -ffp-contract=off keeps one result whether or not a compiler could fuse a multiply and an add.
function(cupel_options target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wconversion -Wshadow -ffp-contract=off
    $<$<BOOL:${PROJECT_IS_TOP_LEVEL}>:-Werror> $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>
    "$<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>")
  if(CUPEL_SANITIZE)
    target_compile_options(${target} PUBLIC -fsanitize=${CUPEL_SANITIZE} -fno-sanitize-recover=all
                           -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${CUPEL_SANITIZE})
  endif()
endfunction()

# Through a precompiled header or in a batch g++ 12 warns of its own std::string and std::variant (GCC
# bugs 105651 and 105593).
function(cupel_no_library_warnings target)
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
    $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds> $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
    $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow> $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overread>)
endfunction()

# LibTorch's headers cost 13 s a file: ten files share one reading of them in a release build, all
# share a precompiled header elsewhere.
function(cupel_share_headers target)
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 10)
  else()
    target_precompile_headers(${target} ${ARGN})
  endif()
endfunction()

# Sorts a folder's sources by suffix: *_nn.cpp may see LibTorch, the others never do.
function(cupel_module name)
  file(GLOB light CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cpp)
  set(heavy ${light})
  list(FILTER light EXCLUDE REGEX "_nn\\.cpp$")
  list(FILTER heavy INCLUDE REGEX "_nn\\.cpp$")
  set_property(GLOBAL APPEND PROPERTY CUPEL_LIGHT_SOURCES ${light})
  set_property(GLOBAL APPEND PROPERTY CUPEL_HEAVY_SOURCES ${heavy})
endfunction()

# A kernel row is one file compiled for its instruction set and nothing else.
function(cupel_kernel_row file)
  set(level -O3)
  if(CUPEL_SANITIZE)
    set(level -O2)
  endif()
  if(CUPEL_FUZZ)
    list(APPEND level -fno-sanitize=fuzzer-no-link)  # no parser comes by here
  endif()
  if(EXISTS ${PROJECT_SOURCE_DIR}/src/kernels/${file}.cpp)
    set_source_files_properties(${PROJECT_SOURCE_DIR}/src/kernels/${file}.cpp TARGET_DIRECTORY cupel_light
                                PROPERTIES COMPILE_OPTIONS "${ARGN};${level};-fno-exceptions;-fno-rtti"
                                SKIP_PRECOMPILE_HEADERS ON SKIP_UNITY_BUILD_INCLUSION ON)
  endif()
endfunction()

function(cupel_libraries)
  get_property(light GLOBAL PROPERTY CUPEL_LIGHT_SOURCES)
  get_property(heavy GLOBAL PROPERTY CUPEL_HEAVY_SOURCES)
  add_library(cupel_light STATIC ${light})
  cupel_options(cupel_light)
  if(CUPEL_FUZZ)
    target_compile_options(cupel_light PRIVATE -fsanitize=fuzzer-no-link)
  endif()
  # What most files read anyway, read once: a quarter of the time of a build.
  target_precompile_headers(cupel_light PRIVATE <algorithm> <array> <cmath> <cstdint> <filesystem> <functional> <map>
                            <memory> <optional> <string> <string_view> <tuple> <utility> <variant> <vector>)
  if(NOT CMAKE_BUILD_TYPE STREQUAL "Dev")
    set_target_properties(cupel_light PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
    # In a batch g++ takes every file for a header.
    target_compile_options(cupel_light PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  endif()
  cupel_no_library_warnings(cupel_light)
  target_compile_features(cupel_light PUBLIC cxx_std_20)
  target_link_libraries(cupel_light PUBLIC Threads::Threads PRIVATE ${CUPEL_LIGHT_DEPENDENCIES} ${CMAKE_DL_LIBS})
  target_compile_definitions(cupel_light PRIVATE CUPEL_VERSION="${PROJECT_VERSION}")
  # g++ 12 warns of its own AVX-512 header's undefined operands (GCC bug 105593).
  set(avx512 -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx2 -mfma -mf16c
      $<$<CXX_COMPILER_ID:GNU>:-Wno-uninitialized> $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  cupel_kernel_row(scalar -mno-avx)
  cupel_kernel_row(avx2 -mavx2 -mfma -mf16c)
  cupel_kernel_row(avx512 ${avx512})
  cupel_kernel_row(avx512vnni ${avx512} -mavx512vnni)
  cupel_kernel_row(avx512bf16 ${avx512} -mavx512vnni -mavx512bf16)
  cupel_kernel_row(amx ${avx512} -mavx512vnni -mavx512bf16 -mamx-tile -mamx-int8 -mamx-bf16)
  cupel_public_headers(cupel_light)
  if(NOT CUPEL_HEAVY)
    return()
  endif()
  find_package(LibTorch REQUIRED)
  add_library(cupel_heavy STATIC ${heavy})
  cupel_options(cupel_heavy)
  # The wheel has c10d's headers and not gloo's, which they include.
  target_include_directories(cupel_heavy SYSTEM PRIVATE ${PROJECT_SOURCE_DIR}/src/nn/gloo_decl)
  if(CUPEL_GPU)
    target_compile_definitions(cupel_heavy PRIVATE CUPEL_GPU)
  endif()
  target_link_libraries(cupel_heavy PUBLIC cupel_light LibTorch::LibTorch PRIVATE fmt::fmt)
  cupel_share_headers(cupel_heavy PRIVATE ${PROJECT_SOURCE_DIR}/src/nn/torch_nn.h)
endfunction()

function(cupel_program name main)
  add_executable(${name} ${main})
  cupel_options(${name})
  target_link_libraries(${name} PRIVATE ${ARGN})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}
                        INSTALL_RPATH_USE_LINK_PATH ON)
  install(TARGETS ${name} RUNTIME)
endfunction()

function(cupel_programs)
  file(GLOB cli CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/cli/*.cpp)
  list(FILTER cli EXCLUDE REGEX "/main(_nn)?\\.cpp$")
  add_library(cupel_cli STATIC ${cli})
  cupel_options(cupel_cli)
  set_target_properties(cupel_cli PROPERTIES UNITY_BUILD ON)
  target_link_libraries(cupel_cli PUBLIC cupel_light PRIVATE fmt::fmt)
  cupel_program(cupel src/cli/main.cpp cupel_cli)
  if(CUPEL_HEAVY)
    cupel_program(cupel-nn src/cli/main_nn.cpp cupel_cli cupel_heavy)
  endif()
endfunction()

# Libraries that are opened when they are first needed, each built where what it wraps is here.
# Never under a sanitizer: what it wraps was not built with one.
function(cupel_plugins)
  find_package(Arrow QUIET)
  if(NOT Arrow_FOUND)
    return()
  endif()
  add_library(cupel_parquet MODULE src/data/parquet/plugin.cpp)
  target_compile_options(cupel_parquet PRIVATE -Wall -Wextra -Werror -fvisibility=hidden)
  target_include_directories(cupel_parquet PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(cupel_parquet PRIVATE Arrow::Parquet)
  set_target_properties(cupel_parquet PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}
                        INSTALL_RPATH_USE_LINK_PATH ON)
  install(TARGETS cupel_parquet LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
endfunction()

# examples/<capability>.cpp: the library as a user's program sees it; tools/run_examples.py runs them.
function(cupel_examples)
  if(NOT CUPEL_HEAVY)
    return()
  endif()
  file(GLOB programs CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/examples/*.cpp)
  foreach(program ${programs})
    get_filename_component(name ${program} NAME_WE)
    add_executable(example_${name} ${program})
    cupel_options(example_${name})
    target_link_libraries(example_${name} PRIVATE cupel::nn)
    set_target_properties(example_${name} PROPERTIES OUTPUT_NAME ${name}
                          RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/examples)
  endforeach()
endfunction()

# The sources of bench/<name>/ are the program bench_<name>: our side of scripts/bench <name>.
# Target `benches` makes them all; it is built on request. One without a *_nn.cpp needs no LibTorch.
function(cupel_benches)
  find_package(benchmark QUIET)
  if(NOT benchmark_FOUND)
    return()
  endif()
  add_custom_target(benches)
  file(GLOB folders CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/bench/*/*.cpp)
  list(TRANSFORM folders REPLACE "/[^/]+$" "")
  list(REMOVE_DUPLICATES folders)
  foreach(folder ${folders})
    file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cpp)
    get_filename_component(name ${folder} NAME)
    set(library cupel_light)
    if("${sources}" MATCHES "_nn\\.cpp")
      set(library cupel_heavy)
    endif()
    if(NOT TARGET ${library})
      continue()
    endif()
    add_executable(bench_${name} EXCLUDE_FROM_ALL ${sources})
    add_dependencies(benches bench_${name})
    cupel_options(bench_${name})
    target_link_libraries(bench_${name} PRIVATE ${library} fmt::fmt benchmark::benchmark
                          ${CMAKE_DL_LIBS})
    set_target_properties(bench_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
  endforeach()
endfunction()
