#include "signfold/mpi/join_ranks.h"

#include <array>
#include <cstdlib>

#include "signfold/base/error.h"
#include "signfold/mpi/job.h"

namespace signfold::mpi {
namespace {

/// What a variable of the environment says, or `otherwise`.
int number(const char* variable, int otherwise) {
  const char* text = std::getenv(variable);  // NOLINT: before any other thread
  return text == nullptr ? otherwise : std::atoi(text);
}

/// Whether a launcher of MPI programs (Open MPI, PMIx as of Slurm, MPICH) started this process.
bool launched() {
  constexpr std::array kSigns = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"};
  for (const char* sign : kSigns) {
    if (std::getenv(sign) != nullptr) return true;  // NOLINT: before any other thread
  }
  return false;
}

/// How many processes it started, as far as it says so.
int size_told() { return number("OMPI_COMM_WORLD_SIZE", number("PMI_SIZE", 1)); }

}  // namespace

std::unique_ptr<Job> join_ranks() {
  if (!launched()) return nullptr;
#ifdef SIGNFOLD_HAS_MPI
  std::unique_ptr<Job> job = start_job();
  if (job->size() == 1 && size_told() > 1) {
    fail(
        "mpirun started {} processes, but each sees only itself: use the mpirun of the MPI that signfold was built for",
        size_told());
  }
  return job;
#else
  if (size_told() > 1) {
    fail("mpirun started {} processes, but this signfold was built without MPI (SIGNFOLD_MPI): run it without mpirun",
         size_told());
  }
  return nullptr;
#endif
}

}  // namespace signfold::mpi
