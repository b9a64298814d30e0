// Ranks on MPI. Only where SIGNFOLD_HAS_MPI is defined.
#pragma once

#include <memory>

#include "signfold/mpi/join_ranks.h"

namespace signfold::mpi {

/// Starts MPI. A process that was not started by mpirun is a job of one.
std::unique_ptr<Job> start_job();

}  // namespace signfold::mpi
