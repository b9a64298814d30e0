// network:L for a frozen encoder, measured.
#include <gtest/gtest.h>

#include <cmath>

#include "signfold/base/error.h"
#include "signfold/base/interrupt.h"
#include "signfold/codec/fit_unrolled.h"

namespace signfold {
namespace {

EncoderPtr encoder_of(const char* name, std::size_t dim, double rate) {
  return make_encoder(name, shape_for_rate(dim, rate), 1);
}

/// Three layers on sparse Gaussian vectors of 100 coordinates whose norms nobody stores, and 4000 others to measure on.
class SmallSparseGaussian : public testing::Test {
 protected:
  SmallSparseGaussian() {
    draw_from_prior(prior_, 99, false)(0, fresh_.x, fresh_.weights);
    options_.training.steps = 600;
  }
  double risk(const UnrolledDecoder& decoder) {
    Team team(0);
    UnrolledTrainer trainer({*encoder_, *basis_, law_, 3}, {}, decoder.layers.size(), draw_from_prior(prior_, 1, false),
                            fresh_, team);
    return trainer.risks(decoder, fresh_).back();
  }

  PriorPtr prior_ = parse_prior("sparse-gaussian:0.1");
  VectorPrior law_ = iid_prior(prior_);
  EncoderPtr encoder_ = encoder_of("haar", 100, 1);
  BasisPtr basis_ = make_basis("identity", 100);
  HeldOut fresh_{Matrix<float>(4000, 100), std::vector<double>(4000)};
  UnrolledFitOptions options_;
};

// docs/rigamp.md section 8. All risks on the same 4000 vectors: the standard error of a difference is below 0.0003,
// 0.2 % of the risk. Guard G4 alone makes up a part of what the undamped layers of theory lose at this dimension.
TEST_F(SmallSparseGaussian, TrainedScalarsGain) {
  const double undamped = risk(unroll(state_evolution(law_, 1, 3)));
  const double untrained = risk(untrained_network(*encoder_, law_, 3).unrolled);
  const double trained = risk(fit_unrolled(*encoder_, prior_, false, options_).parameters.unrolled);
  RecordProperty("risks", fmt::format("undamped {}, untrained {}, trained {}", undamped, untrained, trained));
  EXPECT_LT(trained, 0.97 * undamped);
  EXPECT_LT(trained, 0.985 * untrained);
}

TEST_F(SmallSparseGaussian, TrainedSplinesGainMore) {
  options_.training.splines = true;
  const double untrained = risk(untrained_network(*encoder_, law_, 3).unrolled);
  const double trained = risk(fit_unrolled(*encoder_, prior_, false, options_).parameters.unrolled);
  EXPECT_LT(trained, 0.95 * untrained);
}

struct Case {
  const char* prior;
  double rate;
  bool normed;
  bool splines;
};
class NeverWorse : public testing::TestWithParam<Case> {};

// Where there is nothing to gain, chance alone may not make it worse by more than 3 standard errors of the difference
// of two strongly correlated risks, 0.3 % here.
TEST_P(NeverWorse, ThanTheUntrainedDecoder) {
  UnrolledFitOptions options;
  options.training.steps = 150;
  options.training.splines = GetParam().splines;
  const UnrolledFit fit = fit_unrolled(*encoder_of("hadamard", 64, GetParam().rate), parse_prior(GetParam().prior),
                                       GetParam().normed, options);
  EXPECT_LE(fit.trained, 1.003 * fit.untrained);
}

INSTANTIATE_TEST_SUITE_P(Cases, NeverWorse,
                         testing::Values(Case{"gaussian", 1, true, true}, Case{"gaussian", 0.5, false, false},
                                         Case{"sparse-rademacher:0.5", 2, false, false},
                                         Case{"sparse-laplace:1", 1, true, false},
                                         Case{"sparse-gaussian:0.3", 1, true, false},
                                         Case{"sparse-gaussian:0.1", 1, true, true}));

TEST(FitUnrolled, LearnsFromRowsInABasis) {
  constexpr std::size_t kDim = 64;
  const PriorPtr law = parse_prior("sparse-gaussian:0.1");
  Matrix<float> rows(3000, kDim);
  std::vector<double> weights(rows.rows());
  draw_from_prior(law, 3, true)(0, rows, weights);
  UnrolledFitOptions options;
  options.training.steps = 200;
  options.layers = 2;
  std::size_t calls = 0;
  options.progress = [&](std::size_t step, std::size_t steps) {
    ++calls;
    EXPECT_LE(step, steps);
  };
  const UnrolledFit fit = fit_unrolled(*encoder_of("hadamard", kDim, 1), *make_basis("dct2:8x8", kDim), iid_prior(law),
                                       rows, weights, options);
  EXPECT_LE(fit.trained, 1.005 * fit.untrained);
  EXPECT_EQ(fit.parameters.unrolled.layers.size(), 2U);
  EXPECT_EQ(fit.parameters.unrolled.layers.back().risk, fit.trained);
  EXPECT_GE(calls, 100U);
}

TEST(FitUnrolled, RefusesWhatItCannotTrain) {
  const PriorPtr law = parse_prior("sparse-gaussian:0.1");
  EXPECT_THROW(fit_unrolled(*encoder_of("identity", 32, 1), law, false, {}), Error);
  UnrolledFitOptions joint;
  joint.training.matrix = UnrolledMatrix::joint;
  EXPECT_THROW(fit_unrolled(*encoder_of("haar", 32, 1), law, false, joint), Error);
  const Matrix<float> few(5, 32);
  const std::vector<double> weights(5, 1.0);
  EXPECT_THROW(fit_unrolled(*encoder_of("haar", 32, 1), *make_basis("identity", 32), iid_prior(law), few, weights, {}),
               Error);
}

TEST(FitUnrolled, CanBeInterrupted) {
  UnrolledFitOptions options;
  options.progress = [](std::size_t step, std::size_t) {
    if (step == 3) request_interrupt();
  };
  try {
    fit_unrolled(*encoder_of("haar", 32, 1), parse_prior("sparse-gaussian:0.1"), false, options);
    FAIL() << "it did not stop";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::interrupted);
  }
  clear_interrupt();
}

}  // namespace
}  // namespace signfold
