# SIGNFOLD_MPI: let `mpirun signfold train` and `reproduce` share their work. ON where MPI is, and no sanitizer is: MPI
# libraries leak on purpose, and race where they know that it does no harm.
find_package(MPI QUIET COMPONENTS CXX)
set(default OFF)
if(NOT MPI_CXX_FOUND)
  set(reason ": libopenmpi-dev is missing")
elseif(CMAKE_CXX_FLAGS MATCHES "-fsanitize")
  set(reason ": a sanitizer is on")
else()
  set(default ON)
endif()
option(SIGNFOLD_MPI "Let the ranks of mpirun share the work of train and reproduce" ${default})

add_library(mpi_or_none INTERFACE)
if(SIGNFOLD_MPI)
  if(NOT MPI_CXX_FOUND)
    message(FATAL_ERROR "SIGNFOLD_MPI is ON, but there is no MPI (Debian: libopenmpi-dev)")
  endif()
  # The bindings for C++ are deprecated: without them there is one library less.
  target_compile_definitions(mpi_or_none INTERFACE SIGNFOLD_HAS_MPI OMPI_SKIP_MPICXX MPICH_SKIP_MPICXX)
  target_link_libraries(mpi_or_none INTERFACE MPI::MPI_CXX)
else()
  message(STATUS "mpirun signfold will not share work${reason}")
endif()
