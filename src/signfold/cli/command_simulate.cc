// signfold simulate: encode and decode synthetic vectors, and put the measured risk beside the predicted one.
#include <CLI/CLI.hpp>
#include <memory>

#include "signfold/cli/commands.h"
#include "signfold/cli/model_report.h"
#include "signfold/cli/options.h"
#include "signfold/cli/progress_line.h"
#include "signfold/cli/text.h"
#include "signfold/codec/names.h"
#include "signfold/codec/simulate.h"

namespace signfold::cli {
namespace {
struct Options {
  SimulateOptions simulate;
  std::string scale = "f32";
};

nlohmann::ordered_json prefixes_json(const Simulation& simulation, std::size_t dim) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  std::size_t bits = 0;
  for (std::size_t s = 0; s < simulation.stage_bits.size(); ++s) {
    const LayerRisk& risk = simulation.evaluation.prefixes[s];
    bits += simulation.stage_bits[s];
    list.push_back({{"stages", s + 1},
                    {"rate", static_cast<double>(bits) / static_cast<double>(dim)},
                    {"measured", risk.measured},
                    {"stderr", risk.stderr_},
                    {"predicted", risk.predicted}});
  }
  return list;
}

std::string prefixes_text(const Simulation& simulation, std::size_t dim) {
  std::vector<Row> rows = {{"stages", "rate", "predicted", "measured", "std. error", "difference"}};
  std::size_t bits = 0;
  for (std::size_t s = 0; s < simulation.stage_bits.size(); ++s) {
    const LayerRisk& risk = simulation.evaluation.prefixes[s];
    bits += simulation.stage_bits[s];
    rows.push_back({fmt::format("{}", s + 1), number(static_cast<double>(bits) / static_cast<double>(dim)),
                    number(risk.predicted), number(risk.measured), fmt::format("{:.1g}", risk.stderr_),
                    fmt::format("{:+.1f} %", 100 * (risk.measured / risk.predicted - 1))});
  }
  return table(rows);
}

Report simulate(Options options, const Common& common) {
  SimulateOptions& request = options.simulate;
  check_rate(request.rate);
  request.scale = parse_scale(options.scale);
  request.threads = common.threads;
  request.progress = progress_line("simulate");
  const Simulation simulation = signfold::simulate(request);
  const Evaluation& evaluation = simulation.evaluation;

  Report report;
  const bool staged = !evaluation.prefixes.empty();
  if (staged) {
    report.json["prefixes"] = prefixes_json(simulation, request.dim);
  } else {
    report.json = evaluation_json(evaluation);
  }
  if (simulation.default_layers) report.json["default_layers"] = *simulation.default_layers;
  report.json["encoder"] = simulation.encoder;
  report.json["vectors_per_second"] = speeds_json(evaluation);
  report.text = fmt::format("{}, {}, encoder {}: {} vectors of {} coordinates, seed {}\n\n{}\n{}", request.prior,
                            rate_text(request.rate), simulation.encoder, request.samples, request.dim, request.seed,
                            staged ? prefixes_text(simulation, request.dim) : evaluation_table(evaluation),
                            speeds_text(evaluation));
  return report;
}
}  // namespace

Action declare_simulate(CLI::App& app, const Common& common) {
  const auto options = std::make_shared<Options>();
  SimulateOptions& request = options->simulate;
  app.add_option("--prior", request.prior, "Law of one coordinate")->required()->type_name("PRIOR");
  app.add_option("--rate", request.rate, "Bits per dimension, any number above 0")->required()->type_name("R");
  app.add_option("--dim", request.dim, "Coordinates of a vector")
      ->type_name("D")
      ->check(at_least(1))
      ->capture_default_str();
  app.add_option("--samples", request.samples, "Vectors")->type_name("N")->check(at_least(1))->capture_default_str();
  app.add_option("--seed", request.seed, "Seed of encoder and vectors")
      ->type_name("S")
      ->check(at_least(0))
      ->capture_default_str();
  app.add_option("--encoder", request.encoder, "Encoder")->type_name("ENCODER")->capture_default_str();
  app.add_option("--decoder", request.decoder, "Decoder")->type_name("DECODER")->capture_default_str();
  app.add_option("--scale", options->scale, "How the norm is stored: f32, f16 or none")
      ->type_name("KIND")
      ->capture_default_str();
  app.footer(help_footer(
      {{"Norms",
        "where the norm is stored, every vector is scaled to |x|^2 = d first: its code is the same, and all\n"
        "vectors weigh the same in the measured risk. With --scale none they are as the prior draws them.\n"},
       {"Priors", prior_help()},
       {"Encoders", fitted_encoder_help()},
       {"Decoders", decoder_help()}},
      "signfold simulate --prior sparse-gaussian:0.1 --rate 1 --dim 4096 --samples 400 --decoder rigamp:4"));
  return [options, &common] { return simulate(*options, common); };
}

}  // namespace signfold::cli
