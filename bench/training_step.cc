// Signfold's side of bench/training: times straight-through steps on request, asleep between requests. One request a
// line on standard input, one JSON object a line on standard output:
//   step FOLDER THREADS REPETITIONS   x.npy (batch x d) and b.npy (n x d) of FOLDER: one step, whose updated B goes to
//                                     FOLDER/signfold.npy; then, from there on, REPETITIONS steps on the clock
//   peak THREADS REPETITIONS          products of large square matrices with sgemm
//   about                             instruction set and BLAS
#include <cblas.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/base/linalg.h"
#include "signfold/base/random.h"
#include "signfold/simd/kernels.h"
#include "signfold/source/npy_writer.h"
#include "signfold/source/source.h"
#include "signfold/training/optimizer.h"
#include "signfold/training/straight_through.h"

namespace signfold {
namespace {

constexpr double kRate = 0.1;  // as in bench/training
constexpr double kTau = 1;

double seconds_of(const auto& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Tied decoder with the gain that is best for the batch, plain SGD on the unit sphere of each row.
class Training {
 public:
  Training(Matrix<float> rows, std::size_t batch, Team& team)
      : team_(team),
        pass_(TrainedDecoder::tied, rows.rows(), rows.cols(), batch, team),
        optimizer_(OptimizerKind::sgd, rows.rows(), rows.cols()) {
    gradient_.encoder = Matrix<float>(rows.rows(), rows.cols());
    net_.encoder = std::move(rows);
    gradient_.gain = net_.gain = {0};
  }

  /// Returns the mean of ‖x − x̂‖² before the step.
  double step(MatrixView<const float> x) {
    constexpr std::size_t kGrain = 64;
    const double loss = pass_.gradient(net_, x, kTau, gradient_);
    team_.run(net_.bits(), kGrain, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        optimizer_.move_on_sphere(i, 0, kRate, gradient_.encoder.row(i), net_.encoder.row(i));
      }
    });
    return loss;
  }
  MatrixView<const float> rows() const { return net_.encoder; }

 private:
  Team& team_;
  Autoencoder net_;
  Gradient gradient_;
  StraightThrough pass_;
  Optimizer optimizer_;
};

nlohmann::json time_steps(const std::string& folder, int threads, int repetitions) {
  const Matrix<float> x = read_all(*open_source(folder + "/x.npy"));
  Team team(threads);
  Training training(read_all(*open_source(folder + "/b.npy")), x.rows(), team);
  const double loss = training.step(x);
  NpyWriter updated(folder + "/signfold.npy", training.rows().rows, training.rows().cols);
  updated.write(training.rows());
  updated.commit();
  training.step(x);  // caches were cooled by the file
  std::vector<double> seconds;
  for (int i = 0; i < repetitions; ++i) seconds.push_back(seconds_of([&] { training.step(x); }));
  return {{"seconds", seconds}, {"loss", loss}};
}

nlohmann::json time_peak(int threads, int repetitions) {
  constexpr std::size_t kSize = 2048;
  const BlasThreads blas(threads);
  Matrix<float> a(kSize, kSize);
  Matrix<float> c(kSize, kSize);
  RandomStream stream(1, Purpose::test);
  for (float& v : a.values()) v = static_cast<float>(stream.uniform());
  std::vector<double> flops;  // per second
  for (int i = 0; i <= repetitions; ++i) {
    const double seconds = seconds_of([&] { gemm(false, false, 1, a, a, 0, c); });
    if (i > 0) flops.push_back(2.0 * kSize * kSize * kSize / seconds);
  }
  return {{"flops", flops}};
}

nlohmann::json answer(const std::string& request) {
  std::istringstream words(request);
  std::string command;
  std::string folder;
  int threads = 0;
  int repetitions = 0;
  words >> command;
  if (command == "about") return {{"simd", simd::active_target()}, {"blas", openblas_get_corename()}};
  if (command == "step" && words >> folder >> threads >> repetitions) return time_steps(folder, threads, repetitions);
  if (command == "peak" && words >> threads >> repetitions) return time_peak(threads, repetitions);
  fail("training_step: cannot read the request '{}'", request);
}

}  // namespace
}  // namespace signfold

int main() {
  std::string request;
  while (std::getline(std::cin, request)) {
    try {
      std::cout << signfold::answer(request) << std::endl;
    } catch (const std::exception& error) {
      std::cout << nlohmann::json{{"error", error.what()}} << std::endl;
    }
  }
  return 0;
}
