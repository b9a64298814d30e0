// How a program that was started by mpirun finds the others. The only folder that sees MPI.
#pragma once

#include <memory>

#include "signfold/base/ranks.h"

namespace signfold::mpi {

/// The job that this process was started for; null when it was started by itself, and MPI is not even touched. To be
/// called once, from the main thread, which alone may use the job. Throws Error when mpirun started several processes
/// of a program that was built without MPI, or for another one.
std::unique_ptr<Job> join_ranks();

}  // namespace signfold::mpi
