// signfold fit: learn a model from vectors.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <vector>

#include "signfold/cli/commands.h"
#include "signfold/cli/model_report.h"
#include "signfold/cli/options.h"
#include "signfold/cli/progress_line.h"
#include "signfold/cli/streams.h"
#include "signfold/codec/fit.h"
#include "signfold/codec/inputs.h"
#include "signfold/codec/names.h"

namespace signfold::cli {
namespace {
struct Options {
  std::string data;
  std::string out;
  std::string scale = "f16";
  FitOptions fit;
  std::vector<const CLI::Option*> network_only;
};

/// Options of training would have no effect on decoders that theory makes.
void check_network_options(const Options& options) {
  if (read_decoder(options.fit.decoder).kind == DecoderChoice::Kind::network) return;
  for (const CLI::Option* option : options.network_only) {
    if (option->count() > 0) fail("{} goes with --decoder network:L", option->get_name());
  }
}

Report fit_model(Options options, const Common& common) {
  check_rate(options.fit.rate);
  check_fit_names(options.fit);
  check_network_options(options);
  options.fit.scale = parse_scale(options.scale);
  options.fit.threads = common.threads;
  options.fit.progress = progress_line("fit");
  check_replaces_nothing(
      options.out, {file_of_vectors(options.data), file_of_name(options.fit.encoder), file_of_name(options.fit.prior)});
  { const AtomicFile probe(options.out); }  // a path that cannot be written is better known now than after the fit

  const auto source = open_source(options.data);
  const Model model = fit(*source, options.fit);
  save_model(model, options.out);

  Report report;
  report.json = {{"model", options.out}, {"bytes", std::filesystem::file_size(options.out)}};
  report.json.update(model_json(model));
  report.text = fmt::format("{}: fitted on {}\n\n{}", options.out, source->description(), model_text(model));
  return report;
}
}  // namespace

Action declare_fit(CLI::App& app, const Common& common) {
  const auto options = std::make_shared<Options>();
  FitOptions& fit_options = options->fit;
  app.add_option("DATA", options->data, "File of vectors")->required()->type_name("");
  app.add_option("--rate", fit_options.rate, "Bits per dimension, any number above 0")->required()->type_name("R");
  app.add_option("--out", options->out, "Model file to write (.sfm)")->required()->type_name("FILE");
  app.add_option("--encoder", fit_options.encoder, "Encoder")->type_name("ENCODER")->capture_default_str();
  app.add_option("--decoder", fit_options.decoder, "Decoder")->type_name("DECODER")->capture_default_str();
  app.add_option("--basis", fit_options.basis, "Where the decoder looks for structure")
      ->type_name("BASIS")
      ->capture_default_str();
  app.add_option("--prior", fit_options.prior, "Law of the coordinates")->type_name("PRIOR")->capture_default_str();
  app.add_option("--scale", options->scale, "How the norm is stored: f16, f32 or none")
      ->type_name("KIND")
      ->capture_default_str();
  options->network_only = {
      app.add_option("--steps", fit_options.network.steps, "network:L: steps of training")
          ->type_name("N")
          ->check(at_least(1))
          ->capture_default_str(),
      app.add_flag("--splines", fit_options.network.splines, "network:L: train the pointwise functions too"),
      app.add_flag("--own-matrix", fit_options.network.own_matrix, "network:L: train a matrix of the layers too")};
  app.add_flag("--whiten", fit_options.whiten, "Whiten (ZCA) before encoding");
  app.add_option("--epsilon", fit_options.epsilon, "Of whitening, relative to the mean eigenvalue")
      ->type_name("E")
      ->capture_default_str();
  const auto center = [options](Centering choice) {
    return [options, choice](std::int64_t /*count*/) { options->fit.center = choice; };
  };
  app.add_flag_function("--center", center(Centering::always), "Subtract the mean before encoding");
  app.add_flag_function("--no-center", center(Centering::never), "Do not (default: subtract it where it is large)");
  app.add_option("--seed", fit_options.seed, "Seed of the encoder")
      ->type_name("S")
      ->check(at_least(0))
      ->capture_default_str();
  app.add_option("--max-rows", fit_options.max_rows, "Vectors to learn from, spread evenly over the file")
      ->type_name("N")
      ->check(at_least(2))
      ->capture_default_str();
  app.footer(help_footer({{"Encoders", fitted_encoder_help()},
                          {"Decoders", decoder_help()},
                          {"Bases", basis_help()},
                          {"Priors", fitted_prior_help()}},
                         "signfold fit train.npy --rate 1 --basis auto --out m.sfm"));
  return [options, &common] { return fit_model(*options, common); };
}

}  // namespace signfold::cli
