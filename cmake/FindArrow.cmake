# Arrow::Parquet from the unzipped pyarrow wheel, whose own CMake files it does not carry.
set(cupel_home $ENV{CUPEL_HOME})
if(NOT cupel_home)
  set(cupel_home $ENV{HOME}/.cache/cupel)
endif()
set(ARROW_ROOT ${cupel_home}/arrow-26.0.1 CACHE PATH "Folder that holds pyarrow/")

find_path(ARROW_INCLUDE parquet/arrow/reader.h PATHS ${ARROW_ROOT}/pyarrow/include NO_DEFAULT_PATH)
find_file(ARROW_LIBRARY libarrow.so.2600 PATHS ${ARROW_ROOT}/pyarrow NO_DEFAULT_PATH)
find_file(ARROW_PARQUET libparquet.so.2600 PATHS ${ARROW_ROOT}/pyarrow NO_DEFAULT_PATH)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Arrow REQUIRED_VARS ARROW_INCLUDE ARROW_LIBRARY ARROW_PARQUET
  REASON_FAILURE_MESSAGE "run ./scripts/setup --parquet")

if(Arrow_FOUND AND NOT TARGET Arrow::Parquet)
  add_library(Arrow::Parquet INTERFACE IMPORTED)
  target_include_directories(Arrow::Parquet SYSTEM INTERFACE ${ARROW_INCLUDE})
  target_link_libraries(Arrow::Parquet INTERFACE ${ARROW_PARQUET} ${ARROW_LIBRARY})
endif()
