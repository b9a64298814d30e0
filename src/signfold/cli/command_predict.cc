// signfold predict: the risk of every decoder for a prior, from theory alone.
#include <CLI/CLI.hpp>
#include <memory>

#include "signfold/cli/commands.h"
#include "signfold/cli/options.h"
#include "signfold/cli/text.h"
#include "signfold/encoder/encoder.h"
#include "signfold/theory/linear_risk.h"
#include "signfold/theory/mixed_risk.h"
#include "signfold/theory/rate_distortion.h"
#include "signfold/theory/state_evolution.h"

namespace signfold::cli {
namespace {
struct Options {
  std::string prior;
  double rate = 0;
  std::string encoder = "hadamard";
  std::string decoder = "rigamp:8";
};

struct Prediction {
  std::string encoder;
  double linear = 1;
  std::vector<double> layers;
  double fixed_point = 1;
  double limit = 1;
  double rotation = 1;
  double identity = 1;
  MixedOptimum mixed;
  std::string note;
};

constexpr int kMaxLayers = 64;
constexpr const char* kNote =
    "multi-layer decoding needs an encoder that spreads every coordinate over all bits (hadamard, haar); this one has "
    "its linear decoder only";

/// Exactly L risks for rigamp:L (a stop by exact recovery repeats the last); up to convergence where no L is given.
std::vector<double> layer_risks(const DecoderChoice& decoder, const VectorPrior& prior, double rate) {
  using Kind = DecoderChoice::Kind;
  if (decoder.kind == Kind::linear || decoder.kind == Kind::affine) return {};
  const int asked = decoder.kind == Kind::denoise ? 1 : decoder.layers;
  const Schedule schedule =
      asked > 0 ? state_evolution(prior, rate, asked, 0) : state_evolution(prior, rate, kMaxLayers);
  std::vector<double> risks;
  for (const LayerScalars& layer : schedule.layers) risks.push_back(layer.risk);
  if (!risks.empty() && asked > 0) risks.resize(static_cast<std::size_t>(asked), risks.back());
  return risks;
}

Prediction predict(const Options& options) {
  check_rate(options.rate);
  const DecoderChoice decoder = read_decoder(options.decoder);
  if (decoder.kind == DecoderChoice::Kind::network) {
    fail("the risk of {} is measured, not predicted: predict rigamp:{}, which it starts from", options.decoder,
         decoder.layers);
  }
  const PriorPtr prior = read_prior(options.prior);
  const VectorPrior law = iid_prior(prior);
  const EncoderPtr encoder = read_encoder(options.encoder, prior, options.rate);

  Prediction p;
  p.encoder = encoder->name();
  p.limit = shannon_limit(*prior, options.rate);
  p.rotation = linear_risk_limit(options.rate);
  p.identity = mixed_risk(*prior, 1, options.rate);
  p.mixed = optimal_mix(*prior, options.rate);
  if (encoder->delocalised()) {
    p.linear = p.rotation;
    p.layers = layer_risks(decoder, law, options.rate);
    p.fixed_point = fixed_point_risk(law, options.rate);
  } else {
    p.linear = p.fixed_point = mixed_risk(*prior, encoder->alignment(), options.rate);
    p.note = kNote;
  }
  return p;
}

nlohmann::ordered_json to_json(const Options& options, const Prediction& p) {
  nlohmann::ordered_json json = {{"prior", options.prior}, {"rate", options.rate},
                                 {"encoder", p.encoder},   {"linear", p.linear},
                                 {"layers", p.layers},     {"fixed_point", p.fixed_point},
                                 {"limit", p.limit},       {"rotation", p.rotation},
                                 {"identity", p.identity}, {"mixed", {{"m", p.mixed.m}, {"risk", p.mixed.risk}}}};
  if (!p.note.empty()) json["note"] = p.note;
  return json;
}

std::string to_text(const Options& options, const Prediction& p) {
  std::vector<Row> rows = {{"decoder", "risk"}, {"linear", number(p.linear)}};
  for (std::size_t t = 0; t < p.layers.size(); ++t) {
    rows.push_back({fmt::format("layer {}{}", t + 1, t == 0 ? " (denoiser)" : ""), number(p.layers[t])});
  }
  if (p.note.empty()) rows.push_back({"fixed point of the layers", number(p.fixed_point)});
  rows.push_back({"limit of any code (Shannon)", number(p.limit)});

  const std::vector<Row> encoders = {{"linear decoder with encoder", "risk"},
                                     {"rotation", number(p.rotation)},
                                     {"identity", number(p.identity)},
                                     {fmt::format("mixed:{:.4g} (best m)", p.mixed.m), number(p.mixed.risk)}};
  return fmt::format("{}, {}, encoder {}; risk 1 = knowing nothing\n\n{}{}\n{}", options.prior, rate_text(options.rate),
                     p.encoder, table(rows), p.note.empty() ? "" : "note: " + p.note + "\n", table(encoders));
}
}  // namespace

Action declare_predict(CLI::App& app, const Common& /*common*/) {
  const auto options = std::make_shared<Options>();
  app.add_option("--prior", options->prior, "Law of one coordinate")->required()->type_name("PRIOR");
  app.add_option("--rate", options->rate, "Bits per dimension, any number above 0")->required()->type_name("R");
  app.add_option("--encoder", options->encoder, "Encoder")->type_name("ENCODER")->capture_default_str();
  app.add_option("--decoder", options->decoder, "Decoder")->type_name("DECODER")->capture_default_str();
  app.footer(help_footer({{"Priors", prior_help()}, {"Encoders", fitted_encoder_help()}, {"Decoders", decoder_help()}},
                         "signfold predict --prior sparse-gaussian:0.1 --rate 1"));
  return [options] {
    const Prediction prediction = predict(*options);
    return Report{to_json(*options, prediction), to_text(*options, prediction)};
  };
}

}  // namespace signfold::cli
