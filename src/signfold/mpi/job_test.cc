// The test starts itself as the ranks of an mpirun, where it checks what ranks promise.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/mpi/join_ranks.h"

namespace signfold::mpi {
namespace {

/// A number of rank `rank` whose sums depend on their order.
float number(int rank, std::size_t i) {
  const float small = 1.0F + static_cast<float>(i % 1000) / 7.0F;
  return rank == 1 ? 1e7F * small : (rank == 2 ? -1e7F * small : small);
}

template <class T>
void check_sums(Ranks& ranks, std::size_t count) {
  std::vector<T> numbers(count);
  for (std::size_t i = 0; i < count; ++i) numbers[i] = number(ranks.rank(), i);
  ranks.sum(std::span<T>(numbers));
  for (std::size_t i = 0; i < count; ++i) {
    T sum = number(0, i);
    for (int k = 1; k < ranks.size(); ++k) sum += number(k, i);
    ASSERT_EQ(numbers[i], sum) << i << " of " << count;
  }
}

void check_job() {
  const std::unique_ptr<Job> job = join_ranks();
  ASSERT_NE(job, nullptr);
  ASSERT_EQ(job->size(), 3);
  ASSERT_GE(job->threads(), 1);
  for (const std::size_t count : {0U, 1U, 2U, 7U, (1U << 20) + 2U, (2U << 20) + 5U}) check_sums<float>(*job, count);
  for (const std::size_t count : {1U, (1U << 20) + 1U}) check_sums<double>(*job, count);
  std::vector<std::byte> bytes((1U << 20) + 3, std::byte(10 + job->rank()));
  job->share(bytes);
  EXPECT_EQ(bytes.front(), std::byte(10));
  EXPECT_EQ(bytes.back(), std::byte(10));
  job->wait_for_all();
}

bool is_rank() { return std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr; }  // NOLINT: one thread

TEST(Job, RanksAddUpInOrderAndShare) {
  if (is_rank()) return check_job();
#ifndef SIGNFOLD_HAS_MPI
  GTEST_SKIP() << "built without MPI";
#endif
  if (std::system("mpirun --version 2>/dev/null | grep -q 'Open MPI'") != 0) GTEST_SKIP() << "no mpirun of Open MPI";
  std::array<char, 4096> self{};
  ASSERT_GT(readlink("/proc/self/exe", self.data(), self.size() - 1), 0);
  const std::string command = std::string("mpirun --allow-run-as-root --oversubscribe --mca plm isolated --mca btl ") +
                              "self,vader --mca btl_vader_single_copy_mechanism none --timeout 100 -np 3 '" +
                              self.data() + "' --gtest_filter=Job.RanksAddUpInOrderAndShare";
  EXPECT_EQ(std::system(command.c_str()), 0) << "the output of the ranks is above";
}

TEST(Job, AProcessByItselfHasNone) {
  if (is_rank()) GTEST_SKIP() << "this is a rank";
  EXPECT_EQ(join_ranks(), nullptr);
}

}  // namespace
}  // namespace signfold::mpi
