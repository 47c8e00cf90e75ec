# LibTorch::LibTorch from the unzipped torch wheel. The wheel's own TorchConfig.cmake stops where no
# CUDA toolkit is installed, so it is not used.
set(cupel_home $ENV{CUPEL_HOME})
if(NOT cupel_home)
  set(cupel_home $ENV{HOME}/.cache/cupel)
endif()
set(LIBTORCH_ROOT ${cupel_home}/libtorch-2.11.0 CACHE PATH "Folder that holds torch/ and nvidia/")

find_path(LIBTORCH_INCLUDE ATen/ATen.h PATHS ${LIBTORCH_ROOT}/torch/include NO_DEFAULT_PATH)
find_library(LIBTORCH_CPU torch_cpu PATHS ${LIBTORCH_ROOT}/torch/lib NO_DEFAULT_PATH)
find_library(LIBTORCH_C10 c10 PATHS ${LIBTORCH_ROOT}/torch/lib NO_DEFAULT_PATH)
find_file(LIBTORCH_GOMP libgomp.so.1 PATHS ${LIBTORCH_ROOT}/torch/lib NO_DEFAULT_PATH)
set(LIBTORCH_LIBRARIES ${LIBTORCH_CPU} ${LIBTORCH_C10} ${LIBTORCH_GOMP})
set(LIBTORCH_WANTED LIBTORCH_INCLUDE LIBTORCH_CPU LIBTORCH_C10 LIBTORCH_GOMP)
if(CUPEL_GPU)
  find_library(LIBTORCH_CUDA torch_cuda PATHS ${LIBTORCH_ROOT}/torch/lib NO_DEFAULT_PATH)
  find_library(LIBTORCH_C10_CUDA c10_cuda PATHS ${LIBTORCH_ROOT}/torch/lib NO_DEFAULT_PATH)
  list(APPEND LIBTORCH_LIBRARIES ${LIBTORCH_CUDA} ${LIBTORCH_C10_CUDA})
  # c10d's NCCL half includes them. The wheels that torch depends on have all but crt/ and
  # nv/, which nvidia-cuda-crt and nvidia-cuda-cccl add beside them.
  find_path(LIBTORCH_CUDA_INCLUDE crt/host_config.h PATHS ${LIBTORCH_ROOT}/nvidia/cu13/include NO_DEFAULT_PATH)
  find_path(LIBTORCH_CCCL_INCLUDE nv/target PATHS ${LIBTORCH_ROOT}/nvidia/cu13/include NO_DEFAULT_PATH)
  find_path(LIBTORCH_NCCL_INCLUDE nccl.h PATHS ${LIBTORCH_ROOT}/nvidia/nccl/include NO_DEFAULT_PATH)
  list(APPEND LIBTORCH_WANTED LIBTORCH_CUDA LIBTORCH_C10_CUDA LIBTORCH_CUDA_INCLUDE LIBTORCH_CCCL_INCLUDE
       LIBTORCH_NCCL_INCLUDE)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch REQUIRED_VARS ${LIBTORCH_WANTED} REASON_FAILURE_MESSAGE
  "run ./scripts/setup, or name another copy by -DLIBTORCH_ROOT= (for the gpu preset: the \
site-packages folder of a Python that has torch 2.11.0, nvidia-cuda-crt 13.0.88 and nvidia-cuda-cccl 13.0.85)")

# --no-as-needed: nothing may refer to torch_cuda by name, yet its start-up code registers the
# device. --allow-shlib-undefined: CUDA symbols inside libtorch_cpu are resolved at run time only.
# -fopenmp: at::parallel_for is a header function and runs on one thread where it is compiled without;
# the OpenMP library is the wheel's own, so that there is one pool of threads.
if(LibTorch_FOUND AND NOT TARGET LibTorch::LibTorch)
  add_library(LibTorch::LibTorch INTERFACE IMPORTED)
  target_include_directories(LibTorch::LibTorch SYSTEM INTERFACE
    ${LIBTORCH_INCLUDE} ${LIBTORCH_INCLUDE}/torch/csrc/api/include
    $<$<BOOL:${CUPEL_GPU}>:${LIBTORCH_CUDA_INCLUDE}> $<$<BOOL:${CUPEL_GPU}>:${LIBTORCH_NCCL_INCLUDE}>)
  target_compile_options(LibTorch::LibTorch INTERFACE -fopenmp)
  target_link_options(LibTorch::LibTorch INTERFACE -Wl,--no-as-needed -Wl,--allow-shlib-undefined)
  target_link_libraries(LibTorch::LibTorch INTERFACE ${LIBTORCH_LIBRARIES})
endif()
