#ifdef SIGNFOLD_HAS_MPI
#include "signfold/mpi/job.h"

#include <mpi.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <vector>

#include "signfold/base/interrupt.h"
#include "signfold/base/parallel.h"

namespace signfold::mpi {
namespace {

/// Numbers that are summed at a time: the memory for it stays small beside any gradient.
constexpr std::size_t kPiece = std::size_t{1} << 20;

template <class T>
MPI_Datatype type_of();
template <>
MPI_Datatype type_of<float>() {
  return MPI_FLOAT;
}
template <>
MPI_Datatype type_of<double>() {
  return MPI_DOUBLE;
}

// An MPI call that fails ends the job with a message of MPI: what MPI_COMM_WORLD does unless told otherwise.
class MpiJob final : public Job {
 public:
  MpiJob() {
    int provided = 0;
    MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
    threads_ = fair_threads();
  }
  ~MpiJob() override { MPI_Finalize(); }

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  int threads() const override { return threads_; }
  void sum(std::span<float> numbers) override { add_up(numbers); }
  void sum(std::span<double> numbers) override { add_up(numbers); }
  void share(std::span<std::byte> bytes) override {
    for (std::size_t begin = 0; begin < bytes.size(); begin += kPiece) {
      const std::size_t count = std::min(kPiece, bytes.size() - begin);
      MPI_Bcast(bytes.data() + begin, static_cast<int>(count), MPI_BYTE, 0, MPI_COMM_WORLD);
    }
  }
  void wait_for_all() override {
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Ibarrier(MPI_COMM_WORLD, &request);
    int done = 0;
    for (MPI_Test(&request, &done, MPI_STATUS_IGNORE); done == 0; MPI_Test(&request, &done, MPI_STATUS_IGNORE)) {
      throw_if_interrupted();
      std::this_thread::sleep_for(std::chrono::milliseconds(2));  // others may need this processor for minutes
    }
  }
  [[noreturn]] void abort(int code) override {
    MPI_Abort(MPI_COMM_WORLD, code);
    std::_Exit(code);
  }

 private:
  template <class T>
  void add_up(std::span<T> numbers) {
    for (std::size_t begin = 0; begin < numbers.size() && size_ > 1; begin += kPiece) {
      add_piece(numbers.subspan(begin, std::min(kPiece, numbers.size() - begin)));
    }
  }

  /// What each rank adds up of `total` numbers.
  struct Parts {
    std::vector<int> counts, begins;
  };
  Parts even_parts(std::size_t total) const {
    Parts parts;
    const auto ranks = static_cast<std::size_t>(size_);
    for (std::size_t k = 0; k < ranks; ++k) {
      parts.counts.push_back(static_cast<int>(total / ranks + (k < total % ranks ? 1 : 0)));
      parts.begins.push_back(static_cast<int>(k * (total / ranks) + std::min(k, total % ranks)));
    }
    return parts;
  }

  /// Every rank adds up a part of the numbers and hands it to all. MPI_Allreduce may add in any order, and in another
  /// one tomorrow; this is as much traffic.
  template <class T>
  void add_piece(std::span<T> numbers) {
    const auto [counts, begins] = even_parts(numbers.size());
    const auto own = static_cast<std::size_t>(rank_);
    const std::vector<int> mine(counts.size(), counts[own]);
    std::vector<int> places(counts.size());
    for (std::size_t k = 1; k < places.size(); ++k) places[k] = places[k - 1] + counts[own];
    std::vector<T> received(counts.size() * static_cast<std::size_t>(counts[own]));
    MPI_Alltoallv(numbers.data(), counts.data(), begins.data(), type_of<T>(), received.data(), mine.data(),
                  places.data(), type_of<T>(), MPI_COMM_WORLD);
    const auto length = static_cast<std::size_t>(counts[own]);
    T* const sum = numbers.data() + begins[own];
    std::copy_n(received.data(), length, sum);
    for (std::size_t k = 1; k < counts.size(); ++k) {
      for (std::size_t i = 0; i < length; ++i) sum[i] += received[k * length + i];
    }
    MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, numbers.data(), counts.data(), begins.data(), type_of<T>(),
                   MPI_COMM_WORLD);
  }

  /// mpirun binds ranks to processors, or several ranks to the same ones, or none to any: those of this machine that
  /// may run on the same processors divide them.
  int fair_threads() const {
    MPI_Comm machine = MPI_COMM_NULL;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &machine);
    int neighbours = 1;
    MPI_Comm_size(machine, &neighbours);
    cpu_set_t own;
    CPU_ZERO(&own);
    sched_getaffinity(0, sizeof(own), &own);
    std::vector<cpu_set_t> all(static_cast<std::size_t>(neighbours));
    MPI_Allgather(&own, sizeof(own), MPI_BYTE, all.data(), sizeof(own), MPI_BYTE, machine);
    MPI_Comm_free(&machine);
    const auto same = std::ranges::count_if(all, [&](const cpu_set_t& set) { return CPU_EQUAL(&set, &own); });
    return std::max(1, default_threads() / static_cast<int>(std::max<std::ptrdiff_t>(1, same)));
  }

  int rank_ = 0;
  int size_ = 1;
  int threads_ = 1;
};

}  // namespace

std::unique_ptr<Job> start_job() { return std::make_unique<MpiJob>(); }

}  // namespace signfold::mpi
#endif
