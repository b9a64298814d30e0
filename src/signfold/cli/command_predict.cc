// signfold predict: the risk of every decoder for a prior, from theory alone.
#include <CLI/CLI.hpp>
#include <memory>

#include "signfold/cli/commands.h"
#include "signfold/cli/options.h"
#include "signfold/cli/text.h"
#include "signfold/codec/names.h"
#include "signfold/codec/predict.h"

namespace signfold::cli {
namespace {
nlohmann::ordered_json to_json(const PredictOptions& options, const Prediction& p) {
  nlohmann::ordered_json json = {{"prior", options.prior}, {"rate", options.rate},
                                 {"encoder", p.encoder},   {"linear", p.linear},
                                 {"layers", p.layers},     {"fixed_point", p.fixed_point},
                                 {"limit", p.limit},       {"rotation", p.rotation},
                                 {"identity", p.identity}, {"mixed", {{"m", p.mixed.m}, {"risk", p.mixed.risk}}}};
  for (const PredictedPrefix& prefix : p.prefixes) {
    json["prefixes"].push_back({{"stages", prefix.stages}, {"rate", prefix.rate}, {"risk", prefix.risk}});
  }
  if (!p.note.empty()) json["note"] = p.note;
  return json;
}

/// Of a code kept in stages, beside what one stage reaches.
std::string staged_text(const PredictOptions& options, const Prediction& p) {
  std::vector<Row> rows = {{"stages", "rate", "risk"}};
  for (const PredictedPrefix& prefix : p.prefixes) {
    rows.push_back({fmt::format("{}", prefix.stages), number(prefix.rate), number(prefix.risk)});
  }
  const std::vector<Row> beside = {{fmt::format("beside it, at rate {:.4g}", options.rate), "risk"},
                                   {"one stage, linear decoder", number(p.linear)},
                                   {"one stage, fixed point of the layers", number(p.fixed_point)},
                                   {"limit of any code (Shannon)", number(p.limit)}};
  return fmt::format("{}, {}, encoder {}; risk 1 = knowing nothing\n\n{}\n{}", options.prior, rate_text(options.rate),
                     p.encoder, table(rows), table(beside));
}

std::string to_text(const PredictOptions& options, const Prediction& p) {
  if (!p.prefixes.empty()) return staged_text(options, p);
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
  const auto options = std::make_shared<PredictOptions>();
  app.add_option("--prior", options->prior, "Law of one coordinate")->required()->type_name("PRIOR");
  app.add_option("--rate", options->rate, "Bits per dimension, any number above 0")->required()->type_name("R");
  app.add_option("--encoder", options->encoder, "Encoder")->type_name("ENCODER")->capture_default_str();
  app.add_option("--decoder", options->decoder, "Decoder")->type_name("DECODER")->capture_default_str();
  app.footer(help_footer({{"Priors", prior_help()}, {"Encoders", fitted_encoder_help()}, {"Decoders", decoder_help()}},
                         "signfold predict --prior sparse-gaussian:0.1 --rate 1\n"
                         "signfold predict --prior sparse-gaussian:0.1 --rate 1 --encoder rotated:8"));
  return [options] {
    check_rate(options->rate);
    const Prediction prediction = predict(*options);
    return Report{to_json(*options, prediction), to_text(*options, prediction)};
  };
}

}  // namespace signfold::cli
