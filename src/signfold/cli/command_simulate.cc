// signfold simulate: encode and decode synthetic vectors, and put the measured risk beside the predicted one.
#include <CLI/CLI.hpp>
#include <memory>

#include "signfold/cli/commands.h"
#include "signfold/cli/model_report.h"
#include "signfold/cli/options.h"
#include "signfold/cli/progress_line.h"
#include "signfold/cli/suggest.h"
#include "signfold/cli/text.h"
#include "signfold/codec/codec.h"
#include "signfold/codec/fit.h"

namespace signfold::cli {
namespace {
struct Options {
  std::string prior;
  double rate = 0;
  std::size_t dim = 1024;
  std::uint64_t samples = 400;
  std::uint64_t seed = 1;
  std::string encoder = "hadamard";
  std::string decoder = "auto";
  std::string scale = "f32";
};

bool chooses_depth(const DecoderChoice& decoder) {
  using Kind = DecoderChoice::Kind;
  return decoder.layers == 0 && (decoder.kind == Kind::automatic || decoder.kind == Kind::rigamp);
}

Report simulate(const Options& options, const Common& common) {
  check_rate(options.rate);
  const PriorPtr prior = read_prior(options.prior);
  check_spelling("encoder", options.encoder, fitted_encoder_help());
  const DecoderChoice decoder = read_decoder(options.decoder);
  FitOptions fit_options;
  fit_options.rate = options.rate;
  fit_options.encoder = options.encoder;
  fit_options.decoder = options.decoder;
  fit_options.scale = parse_scale(options.scale);
  fit_options.seed = options.seed;
  fit_options.threads = common.threads;
  const Model model = model_for_prior(prior, options.dim, fit_options);
  const Norms norms = fit_options.scale == ScaleKind::none ? Norms::drawn : Norms::equal;
  const auto source = synthetic_source(prior, options.samples, options.dim, options.seed, norms);
  Evaluation evaluation = evaluate(model, *source, {common.threads, progress_line("simulate")});

  // rigamp:L promises L layers: behind the last compiled one (it had converged) nothing changes any more.
  if (decoder.layers > 0 && model.network->layers() > 0) {
    evaluation.layers.resize(static_cast<std::size_t>(decoder.layers) + 1, evaluation.layers.back());
  }

  Report report;
  report.json = evaluation_json(evaluation);
  if (chooses_depth(decoder)) report.json["default_layers"] = model.network->layers();
  report.json["encoder"] = model.encoder->name();
  report.json["vectors_per_second"] = speeds_json(evaluation);
  report.text = fmt::format("{}, {}, encoder {}: {} vectors of {} coordinates, seed {}\n\n{}\n{}", options.prior,
                            rate_text(options.rate), model.encoder->name(), options.samples, options.dim, options.seed,
                            evaluation_table(evaluation), speeds_text(evaluation));
  return report;
}
}  // namespace

Action declare_simulate(CLI::App& app, const Common& common) {
  const auto options = std::make_shared<Options>();
  app.add_option("--prior", options->prior, "Law of one coordinate")->required()->type_name("PRIOR");
  app.add_option("--rate", options->rate, "Bits per dimension, any number above 0")->required()->type_name("R");
  app.add_option("--dim", options->dim, "Coordinates of a vector")
      ->type_name("D")
      ->check(at_least(1))
      ->capture_default_str();
  app.add_option("--samples", options->samples, "Vectors")->type_name("N")->check(at_least(1))->capture_default_str();
  app.add_option("--seed", options->seed, "Seed of encoder and vectors")
      ->type_name("S")
      ->check(at_least(0))
      ->capture_default_str();
  app.add_option("--encoder", options->encoder, "Encoder")->type_name("ENCODER")->capture_default_str();
  app.add_option("--decoder", options->decoder, "Decoder")->type_name("DECODER")->capture_default_str();
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
