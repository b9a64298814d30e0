#include "signfold/theory/state_evolution.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/prior/laplace.h"
#include "signfold/prior/mixture.h"
#include "signfold/prior/quadrature.h"
#include "signfold/theory/linear_risk.h"
#include "signfold/theory/sign_channel.h"

namespace signfold {
namespace {

VectorPrior law(const std::string& text) { return iid_prior(parse_prior(text)); }

VectorPrior two_bumps() {  // GM2 of docs/rigamp.md section 7
  return iid_prior(make_mixture("two-bumps", {{0.7, -0.6, 0.16}, {0.3, 1.4, 0.16}}, false));
}

std::vector<double> risks(const Schedule& schedule) {
  std::vector<double> out;
  for (const LayerScalars& layer : schedule.layers) out.push_back(layer.risk);
  return out;
}

struct Figures {
  const char* prior;
  double rate;
  std::vector<double> layers;
  double fixed_point;
};

const std::vector<Figures>& figures() {  // docs/math.md section 11
  static const std::vector<Figures> table = {
      {"sparse-gaussian:0.05", 1, {0.062678, 0.030259, 0.021342}, 0.014764},
      {"sparse-gaussian:0.1", 0.5, {0.402131, 0.312906, 0.286691}, 0.272649},
      {"sparse-gaussian:0.1", 1, {0.117489, 0.079332, 0.068065}, 0.060819},
      {"sparse-gaussian:0.1", 2, {0.055663, 0.025700, 0.017787}, 0.012168},
      {"sparse-gaussian:0.3", 1, {0.256045, 0.241918, 0.240140}, 0.239862},
      {"sparse-gaussian:0.6", 1, {0.339589, 0.338798, 0.338790}, 0.338790},
      {"sparse-laplace:0.3", 1, {0.220473, 0.200547, 0.197576}, 0.196996},
      {"sparse-laplace:1", 1, {0.344629, 0.344163, 0.344161}, 0.344161},
      {"sparse-rademacher:0.2", 1, {0.252034, 0.229016, 0.222214}, 0.218589},
      {"sparse-rademacher:0.5", 1, {0.349753, 0.349481, 0.349480}, 0.349480},
      {"sparse-rademacher:0.5", 2, {0.188599, 0.152111, 0.139409}, 0.128385},
      {"sparse-rademacher:0.2", 2, {}, 0},
      {"gaussian", 2, {0.222031}, 0.199683},
      {"gaussian", 4, {0.124879}, 0.080251},
  };
  return table;
}

TEST(StateEvolution, ReproducesTheFiguresOfTheDocument) {
  for (const Figures& f : figures()) {
    SCOPED_TRACE(testing::Message() << f.prior << " at rate " << f.rate);
    const Schedule schedule = state_evolution(law(f.prior), f.rate, 3, 0);
    ASSERT_GE(schedule.layers.size(), f.layers.size());
    // The figures are printed to 6 digits; 2e-6 leaves room for the rounding of the prototype's quadrature.
    for (std::size_t t = 0; t < f.layers.size(); ++t) EXPECT_NEAR(schedule.layers[t].risk, f.layers[t], 2e-6) << t + 1;
    EXPECT_NEAR(fixed_point_risk(law(f.prior), f.rate), f.fixed_point, 2e-6);
  }
  EXPECT_EQ(fixed_point_risk(law("sparse-rademacher:0.2"), 2), 0);  // exactly: perfect recovery
}

TEST(StateEvolution, ReproducesTheOtherLawsOfTheDocument) {
  struct Row {
    VectorPrior prior;
    double rate = 0;
    double layer[4] = {};  // 1, 2, 3, 6
    double fixed_point = 0;
  };
  const Row rows[] = {
      // docs/rigamp.md section 7, printed to 5 digits
      {two_bumps(), 1, {0.31420, 0.31072, 0.31057, 0.31057}, 0.31057},
      {law("sparse-rademacher:0.8"), 1.5, {0.21270, 0.18705, 0.18140, 0.17954}, 0.17951},
      {law("sparse-gaussian:0.3"), 2, {0.13634, 0.10089, 0.09131, 0.08660}, 0.08637},
  };
  for (const Row& row : rows) {
    const std::vector<double> m = risks(state_evolution(row.prior, row.rate, 6, 0));
    const double found[] = {m[0], m[1], m[2], m[5]};
    for (int k = 0; k < 4; ++k) EXPECT_NEAR(found[k], row.layer[k], 6e-6);
    EXPECT_NEAR(fixed_point_risk(row.prior, row.rate), row.fixed_point, 6e-6);
  }
}

TEST(StateEvolution, ReproducesTheScalarsOfTheDocument) {
  struct Row {
    const char* prior = "";
    double rate = 0;
    LayerScalars layer[3];  // V, c, gamma, b, alpha, m
  };
  const Row rows[] = {
      // docs/rigamp.md section 7, "Double-precision constants"
      {"sparse-gaussian:0.3",
       0.5,
       {{1, .6366197724, .4669422069, 1, .5743496610, .6150115073},
        {.8627802912, .6023985580, .4995746212, 1.4028685333, .5953750432, .5958819942},
        {.8484570794, .5985199010, .5033403915, 1.4238676241, .5977043446, .5937377117}}},
      {"sparse-gaussian:0.1",
       1,
       {{1, .6366197724, 1.7519383939, 1, .2058329497, .1174886916},
        {.1479395192, .2725976966, 2.5331639965, 1.2591809237, .2009606741, .0793318847},
        {.0992840804, .2245579869, 2.9167523836, 1.2515028580, .1985274652, .0680645592}}},
      {"sparse-rademacher:0.5",
       2,
       {{1, .6366197724, 3.5038767878, 1, .3304140867, .1885991470},
        {.2816653446, .3703301715, 4.1761182952, 1.4934603314, .3176159552, .1521106122},
        {.2229105638, .3317278706, 4.4537717599, 1.4654504419, .3104482349, .1394091353}}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(testing::Message() << row.prior << " at rate " << row.rate);
    const Schedule schedule = state_evolution(law(row.prior), row.rate, 3, 0);
    EXPECT_EQ(schedule.rate, row.rate);
    ASSERT_EQ(schedule.layers.size(), 3U);
    for (int t = 0; t < 3; ++t) {
      const LayerScalars& found = schedule.layers[static_cast<std::size_t>(t)];
      EXPECT_NEAR(found.variance, row.layer[t].variance, 1e-9);
      EXPECT_NEAR(found.information, row.layer[t].information, 1e-9);
      EXPECT_NEAR(found.precision, row.layer[t].precision, 1e-9);
      EXPECT_NEAR(found.memory, row.layer[t].memory, 1e-9);
      EXPECT_NEAR(found.onsager, row.layer[t].onsager, 1e-9);
      EXPECT_NEAR(found.risk, row.layer[t].risk, 1e-9);
    }
  }
}

TEST(StateEvolution, LayerOneIsTheDenoisingDecoder) {
  // docs/rigamp.md section 3.3: B'z is mu x + sigma g.
  const double c = 2 / std::numbers::pi;
  for (const double r : {0.01, 0.2, 1.0, 1.3, 2.0, 20.0}) {
    const double mu = r * std::sqrt(c);
    const double sigma2 = r <= 1 ? r * (1 - r * c) : r * (1 - c);
    const LayerScalars first = state_evolution(law("sparse-gaussian:0.2"), r, 1).layers.at(0);
    EXPECT_NEAR(first.precision, mu * mu / sigma2, 1e-13 * first.precision);  // rounding
    EXPECT_NEAR(1 / (1 + first.precision), linear_risk_limit(r), 1e-14);
    EXPECT_NEAR(first.precision, best_scalar_decoder(r, std::max(1.0, r)).precision, 1e-12 * first.precision);
  }
}

TEST(StateEvolution, ReachesTheFixedPointInTheLayersOfTheDocument) {
  struct Row {
    const char* prior;
    double rate;
    int percent;        // layers until within 1 %
    int per_mille;      // and within 0.1 %
    double max_memory;  // max b_t, printed to 3 digits; 0 where not given
  };
  const Row rows[] = {{"sparse-rademacher:0.5", 0.5, 1, 1, 0},   {"sparse-rademacher:0.5", 1, 1, 1, 2.58},
                      {"sparse-gaussian:0.3", 1, 2, 4, 1.83},    {"sparse-gaussian:0.1", 0.5, 5, 7, 1.25},
                      {"sparse-gaussian:0.3", 2, 5, 7, 1.32},    {"sparse-gaussian:0.1", 1, 6, 9, 1.26},
                      {"sparse-rademacher:0.5", 2, 7, 10, 1.49}, {"sparse-gaussian:0.1", 2, 9, 13, 1.11}};
  for (const Row& row : rows) {
    SCOPED_TRACE(testing::Message() << row.prior << " at rate " << row.rate);
    const Schedule schedule = state_evolution(law(row.prior), row.rate, 40, 0);
    const double limit = fixed_point_risk(law(row.prior), row.rate);
    const auto layers_within = [&](double share) {
      const std::vector<double> m = risks(schedule);
      return std::find_if(m.begin(), m.end(), [&](double v) { return v < limit * (1 + share); }) - m.begin() + 1;
    };
    EXPECT_EQ(layers_within(0.01), row.percent);
    EXPECT_EQ(layers_within(0.001), row.per_mille);
    double memory = 0;
    for (const LayerScalars& layer : schedule.layers) memory = std::max(memory, layer.memory);
    if (row.max_memory > 0) {
      EXPECT_NEAR(memory, row.max_memory, 6e-3);
    }
  }
}

/// GVAMP state evolution (docs/math.md section 6): another recursion, with the same risk at every layer.
std::vector<double> gvamp(const VectorPrior& prior, double rate, int layers) {
  const QuadratureRule rule = uniform_rule(-10, 10, 200);
  const double variance_u = rate <= 1 ? 1 : 1 / rate;
  double g2 = 1;
  double t2 = 0;
  std::vector<double> out;
  for (int t = 0; t < layers; ++t) {
    const double t1 = rate <= 1 ? g2 : rate * (g2 + t2) - t2;
    const double spread = std::sqrt(std::max(0.0, variance_u - 1 / t1));
    double v_u = 0;
    for (std::size_t i = 0; i < rule.nodes.size(); ++i) {  // both signs are alike; P(z = 1 | p) = Phi(a)
      const double a = rule.nodes[i] * spread * std::sqrt(t1);
      const double weight = rule.weights[i] * std::exp(-0.5 * rule.nodes[i] * rule.nodes[i]);
      v_u += weight * std::erfc(-a / std::numbers::sqrt2) * truncated_variance(a) / t1;
    }
    v_u /= std::sqrt(2 * std::numbers::pi);
    t2 = 1 / v_u - t1;
    const double v_x = rate <= 1 ? rate / (g2 + t2) + (1 - rate) / g2 : 1 / (g2 + t2);
    const double g1 = 1 / v_x - g2;
    out.push_back(average_mmse(prior, g1));
    if (out.back() < 1e-6) break;  // exact recovery: the precisions leave the range of a double
    g2 = 1 / out.back() - g1;
  }
  return out;
}

TEST(StateEvolution, EqualsGvampAtEveryLayer) {
  const std::vector<VectorPrior> priors = {law("gaussian"), law("sparse-gaussian:0.1"), law("sparse-laplace:0.3"),
                                           law("sparse-rademacher:0.5"), two_bumps()};
  for (const VectorPrior& prior : priors) {
    for (const double rate : {0.3, 1.0, 1.5, 4.0}) {
      SCOPED_TRACE(testing::Message() << prior.shapes[0]->name() << " at rate " << rate);
      const std::vector<double> two_term = risks(state_evolution(prior, rate, 8, 0));
      const std::vector<double> other = gvamp(prior, rate, 8);
      // GVAMP subtracts nearly equal precisions; docs/rigamp.md section 3 saw differences up to 1.3e-10.
      ASSERT_GE(two_term.size(), other.size());
      for (std::size_t t = 0; t < other.size(); ++t) EXPECT_NEAR(two_term[t], other[t], 1e-9) << t + 1;
    }
  }
}

TEST(FixedPoint, IsWhereManyPlainLayersEnd) {
  for (const char* name : {"gaussian", "sparse-gaussian:0.05", "sparse-rademacher:0.3", "sparse-rademacher:0.9"}) {
    for (const double rate : {0.1, 0.7, 1.0, 1.4, 2.2, 6.0}) {
      SCOPED_TRACE(testing::Message() << name << " at rate " << rate);
      const double limit = fixed_point_risk(law(name), rate);
      const LayerScalars last = state_evolution(law(name), rate, 200, 0).layers.back();
      if (limit == 0) {
        EXPECT_LT(last.risk, 1e-9);
      } else {
        EXPECT_NEAR(last.risk / limit, 1, 1e-6);  // what 200 layers may still have to go
      }
    }
  }
}

TEST(FixedPoint, AcrossATransitionDoesNotSkipTheHigherFixedPoint) {
  // Around the rate where sparse Rademacher vectors become exactly recoverable the layers crawl past a near tangent;
  // an extrapolation that jumped it would report 0 too early.
  const VectorPrior prior = law("sparse-rademacher:0.3");
  int recovered = 0;
  for (int k = 0; k <= 20; ++k) {
    const double rate = 1.5 + 0.005 * k;
    const double plain = state_evolution(prior, rate, 1500, 0).layers.back().risk;
    const double fast = fixed_point_risk(prior, rate);
    // Beside the tangent even 1500 plain layers have not quite arrived.
    EXPECT_NEAR(fast, plain, 1e-6 + 1e-3 * plain) << "rate " << rate;
    recovered += fast == 0 ? 1 : 0;
  }
  EXPECT_GT(recovered, 2);  // both sides of the transition were seen
  EXPECT_LT(recovered, 18);
}

TEST(StateEvolution, IsMonotoneInLayersAndRate) {
  for (const char* name : {"gaussian", "sparse-gaussian:0.1", "sparse-rademacher:0.5", "sparse-laplace:0.3"}) {
    double before = 1;
    for (const double rate : {0.01, 0.1, 0.5, 0.999, 1.0, 1.001, 2.0, 5.0, 20.0}) {
      SCOPED_TRACE(testing::Message() << name << " at rate " << rate);
      const std::vector<double> m = risks(state_evolution(law(name), rate, 12, 0));
      for (std::size_t t = 1; t < m.size(); ++t) EXPECT_LE(m[t], m[t - 1] + 1e-12);  // quadrature rounding
      EXPECT_LE(m[0], linear_risk_limit(rate) + 1e-12);
      EXPECT_LE(fixed_point_risk(law(name), rate), m.back() + 1e-10);
      EXPECT_LT(m.back(), before);
      before = m.back();
    }
  }
}

TEST(StateEvolution, StaysFiniteAtTheExtremes) {
  for (const double p : {1e-4, 0.5, 1.0}) {
    for (const PriorPtr& prior : {make_sparse_gaussian(p), make_sparse_rademacher(p), make_sparse_laplace(p)}) {
      for (const double rate : {1e-9, 0.01, 1.0, 20.0, 1e4}) {
        SCOPED_TRACE(testing::Message() << prior->name() << " at rate " << rate);
        const Schedule schedule = state_evolution(iid_prior(prior), rate, 12, 0);
        ASSERT_FALSE(schedule.layers.empty());
        for (const LayerScalars& layer : schedule.layers) {
          for (const double v : {layer.variance, layer.information, layer.precision, layer.memory, layer.onsager}) {
            EXPECT_TRUE(std::isfinite(v));
          }
          EXPECT_GE(layer.risk, 0);
          EXPECT_LE(layer.risk, 1);
        }
        const double limit = fixed_point_risk(iid_prior(prior), rate);
        EXPECT_GE(limit, 0);
        EXPECT_LE(limit, 1);
      }
    }
  }
}

TEST(StateEvolution, TheGuardsDropLayersThatGainNothing) {
  // Guard G1: the second layer of SR .5 at rate 1 gains 0.08 %, the third 3e-6.
  EXPECT_EQ(state_evolution(law("sparse-rademacher:0.5"), 1, 12, 1e-4).layers.size(), 2U);
  EXPECT_EQ(state_evolution(law("sparse-rademacher:0.5"), 1, 12, 1e-2).layers.size(), 1U);
  EXPECT_EQ(state_evolution(law("sparse-rademacher:0.5"), 1, 12, 0).layers.size(), 12U);
  EXPECT_EQ(state_evolution(law("gaussian"), 1, 12).layers.size(), 1U);
  // Guard G6: the run ends with exact recovery.
  const Schedule exact = state_evolution(law("sparse-rademacher:0.2"), 2, 40, 0);
  EXPECT_LT(exact.layers.size(), 12U);
  EXPECT_LT(exact.layers.back().risk, 1e-9);
}

TEST(StateEvolution, AveragesOverTheCoordinatesOfAProfile) {
  // Two coordinates of different scales: the mean of their mmse, each at its own signal-to-noise ratio.
  VectorPrior profile{{make_gaussian()}, {0, 0}, {std::sqrt(1.5F), std::sqrt(0.5F)}, {}};
  const LayerScalars first = state_evolution(profile, 1, 1).layers.at(0);
  const double g = first.precision;
  EXPECT_NEAR(first.risk, 0.5 * (1.5 / (1 + 1.5 * g) + 0.5 / (1 + 0.5 * g)), 1e-6);  // float scales, interpolation
}

TEST(StateEvolution, RefusesImpossibleArguments) {
  const VectorPrior prior = law("gaussian");
  for (const double bad : {0.0, -1.0, std::nan(""), HUGE_VAL}) {
    EXPECT_THROW(state_evolution(prior, bad, 3), Error);
    EXPECT_THROW(fixed_point_risk(prior, bad), Error);
  }
  EXPECT_THROW(state_evolution(prior, 1, 0), Error);
  EXPECT_THROW(state_evolution(prior, 1, 3, -1), Error);
  EXPECT_THROW(state_evolution(prior, 1, 3, std::nan("")), Error);
}

}  // namespace
}  // namespace signfold
