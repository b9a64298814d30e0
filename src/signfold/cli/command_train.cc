// signfold train: learn the encoder itself by gradient descent.
#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <vector>

#include "signfold/base/suggest.h"
#include "signfold/cli/commands.h"
#include "signfold/cli/model_report.h"
#include "signfold/cli/options.h"
#include "signfold/cli/progress_line.h"
#include "signfold/cli/streams.h"
#include "signfold/cli/text.h"
#include "signfold/codec/inputs.h"
#include "signfold/codec/names.h"
#include "signfold/codec/stages_for_rate.h"
#include "signfold/codec/train.h"

namespace signfold::cli {
namespace {
struct Options {
  std::string prior;
  std::string out;
  std::string method = "straight-through";
  std::string decoder = "tied";
  std::string optimizer = "adam";
  std::string decay = "cosine";
  std::string rows;
  std::string tau;
  std::string checkpoint;
  std::string stages;
  std::string augment = "none";
  std::string hidden;
  std::optional<double> rate;
  TrainRequest request;
  std::vector<const CLI::Option*> straight_through_only, population_only, encoder_only, stages_only;
};

constexpr const char* kMethods =
    "straight-through   on sampled vectors, of any prior or file: the sign is smoothed in the backward pass\n"
    "population         on the expected risk, without samples: priors gaussian and sparse-gaussian:P\n";
constexpr const char* kDecoders =
    "tied            x = a B'z with one gain a: what the theory of rotations speaks of\n"
    "tied-rows       one gain per bit\n"
    "untied          any linear map: the choice for real data\n"
    "network:L       the multi-layer decoder of L layers, every scalar trained: for sparse coordinates\n"
    "network:mlp:H   a linear map and H hidden units beside it: for real data at few bits\n";
constexpr const char* kStages =
    "Stage s keeps the signs of a learned projection of what the stages before it could not reconstruct: lowest error\n"
    "on real data at many bits, and a code that is cut after a stage (signfold truncate, decode --stages) still "
    "decodes.\n"
    "--stages 98,98,196,392 says the bits of each; --stages auto takes an eighth, a quarter, half and all of R*d "
    "bits.\n"
    "Each is trained for --epochs, then all together for --joint-epochs: 0 leaves that out.\n"
    "Where a few axes hold most of the energy, --axes K trains as fast as for K coordinates; what the other axes hold\n"
    "is added to the error. Better bits than the signs can be searched for, a flip a round: slower to encode, less "
    "error\n"
    "(3 to 8 % within the axes, CIFAR-10 at 384 bits), decoding as before. --search-epochs E teaches the decoder "
    "such\n"
    "bits; encode and eval --search R take more rounds, or 0.\n";
constexpr const char* kAugmentations =
    "none             vectors as they are\n"
    "mirror           images: left and right change places, at random\n"
    "shift:K          images: moved by up to K pixels in both directions\n"
    "mirror,shift:K   both\n";
constexpr const char* kOptimizers =
    "adam       steps of a size of their own for every number: needs no tuning\n"
    "momentum   gradient descent with momentum 0.9\n"
    "sgd        plain gradient descent\n";
constexpr const char* kDecays =
    "cosine     from the step size to 0 along half a cosine\n"
    "constant   the same step size throughout: the error ends higher\n";

std::string starts() {
  return encoder_help() +
         "random            independent rows, as in the theorem\n"
         "dense:FILE        the encoder of a model (.sfm), or the rows of a matrix (.npy)\n";
}

/// "T" or "T:END".
void read_tau(const std::string& text, TrainRequest& request) {
  if (text.empty()) return;
  const std::size_t colon = text.find(':');
  const auto number = [&](const std::string& part) {
    std::size_t used = 0;
    double value = 0;
    try {
      value = std::stod(part, &used);
    } catch (const std::exception&) {
      used = 0;
    }
    if (part.empty() || used != part.size()) fail("--tau takes a number, or two as in 2:0.5, not '{}'", text);
    return value;
  };
  request.tau = number(text.substr(0, colon));
  if (colon != std::string::npos) request.tau_end = number(text.substr(colon + 1));
}

/// What is trained on.
void read_vectors(const Options& options, TrainRequest& request) {
  if (options.prior.empty() == request.data.empty()) fail("give either --prior and --dim, or --data");
  if (options.prior.empty()) {
    if (request.dim != 0) fail("--dim goes with --prior; the vectors of --data have a dimension of their own");
    return;
  }
  if (!request.test.empty()) fail("--test goes with --data; with --prior, fresh vectors measure the risk");
  request.prior = read_prior(options.prior);
  if (request.dim == 0) fail("--prior goes with --dim, the number of coordinates of a vector");
}

/// "auto" or "N1,N2,…".
void read_stages(const Options& options, TrainRequest& request) {
  for (const CLI::Option* option : options.stages_only) {
    if (option->count() > 0 && options.stages.empty()) fail("{} goes with --stages", option->get_name());
  }
  if (options.stages.empty()) {
    if (!options.rate) fail("--rate is required: bits per dimension, any number above 0");
    return;
  }
  for (const CLI::Option* option : options.encoder_only) {
    if (option->count() > 0) fail("{} has no meaning for --stages", option->get_name());
  }
  request.augment = parse_augmentation(options.augment);
  if (!options.hidden.empty()) request.hidden = parse_counts(options.hidden, "hidden units");
  if (options.stages == "auto") {
    if (!options.rate) fail("--stages auto needs --rate");
    const std::size_t dim = options.prior.empty() ? open_source(request.data)->dim() : request.dim;
    request.stages = stages_for_rate(request.rate, dim);
    return;
  }
  if (options.rate) fail("the bits of --stages are the rate: leave --rate out, or take --stages auto");
  request.stages = parse_stages(options.stages);
}

/// Options of the other method would have no effect.
void check_method_options(const Options& options, TrainMethod method) {
  const bool population = method == TrainMethod::population;
  for (const CLI::Option* option : population ? options.straight_through_only : options.population_only) {
    if (option->count() == 0) continue;
    fail("{} has no meaning for method {}", option->get_name(), to_string(method));
  }
}

void read_choices(const Options& options, TrainRequest& request) {
  request.rate = options.rate.value_or(request.rate);
  check_rate(request.rate);
  read_vectors(options, request);
  read_stages(options, request);
  check_spelling("method", options.method, kMethods);
  check_spelling("decoder", options.decoder, kDecoders);
  check_spelling("optimizer", options.optimizer, kOptimizers);
  check_spelling("decay", options.decay, kDecays);
  check_spelling("start", request.start, starts());
  request.method = parse_train_method(options.method);
  request.decoder = parse_trained_decoder(options.decoder);
  request.optimizer = parse_optimizer(options.optimizer);
  request.decay = parse_decay(options.decay);
  if (!options.rows.empty()) request.rows = parse_row_constraint(options.rows);
  read_tau(options.tau, request);
  if ((request.splines || request.own_matrix) && request.decoder.kind != TrainedDecoder::layers) {
    fail("--splines and --own-matrix go with --decoder network:L");
  }
  check_method_options(options, request.method);
}

/// "risk 0.3412, 25 s left" behind the count of steps.
std::function<void(const TrainProgress&)> progress_of_training() {
  const NotedProgress line = noted_progress_line("train: step");
  if (!line) return {};
  return [line](const TrainProgress& progress) {
    line(progress.step, progress.steps, fmt::format("risk {:.4f}", progress.risk));
  };
}

nlohmann::ordered_json staged_json(const Model& model, const TrainReport& report) {
  return {{"risk", report.risk},   {"stderr", report.stderr_},  {"prefixes", prefixes_json(model, report.prefixes)},
          {"steps", report.steps}, {"seconds", report.seconds}, {"history", report.history}};
}

std::string staged_text(const Model& model, const TrainReport& report) {
  return fmt::format("{}\nsteps  {} in {:.1f} s; risks on vectors that training has not seen\n",
                     prefixes_table(model, report.prefixes, false), report.steps, report.seconds);
}

nlohmann::ordered_json report_json(const TrainReport& report) {
  const auto number = [](const std::optional<double>& value) {
    return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
  };
  return {
      {"risk", report.risk},
      {"stderr", report.stderr_},
      {"predicted",
       {{"rotation", number(report.rotation)}, {"identity", number(report.identity)}, {"mixed", number(report.mixed)}}},
      {"alpha", number(report.alpha)},
      {"orthogonality", report.shape.orthogonality},
      {"diagonal_weight", report.shape.diagonal_weight},
      {"steps", report.steps},
      {"seconds", report.seconds},
      {"history", report.history}};
}

std::string report_text(const TrainReport& report, TrainMethod method, bool tight) {
  std::string text = fmt::format("risk              {:.6f}", report.risk);
  if (report.stderr_ > 0) text += fmt::format(" +- {:.6f}", report.stderr_);
  text += method == TrainMethod::population ? "   expected\n" : "   on vectors that training has not seen\n";
  if (report.rotation) {
    text += fmt::format("  of a rotation   {:.6f}   predicted\n", *report.rotation);
    text += fmt::format("  of the identity {:.6f}   predicted\n", *report.identity);
    text += fmt::format("  of the best mix {:.6f}   predicted, m = {:.3f}\n", *report.mixed, *report.mixed_m);
  }
  if (report.alpha) text += fmt::format("gain              {:.6f}\n", *report.alpha);
  text += fmt::format("orthogonality     {:.2g}   largest entry of {}, off {}\n", report.shape.orthogonality,
                      tight ? "B'B/r" : "BB'", "the identity");
  text +=
      fmt::format("diagonal weight   {:.3f}   median over rows of the largest |B_ij|\n", report.shape.diagonal_weight);
  text += fmt::format("steps             {} in {:.1f} s\n", report.steps, report.seconds);
  return text;
}

/// The checkpoint is removed at the end, and would take the model with it.
void check_files(const std::string& out, const std::string& prior, const TrainRequest& request) {
  if (same_file(out, request.checkpoint)) fail("--out and --checkpoint both name {}: name two files", out);
  check_replaces_nothing(out, {file_of_vectors(request.data), file_of_vectors(request.test),
                               file_of_name(request.start), file_of_name(prior)});
}

Report train_model(Options options, const Common& common) {
  TrainRequest& request = options.request;
  read_choices(options, request);
  request.threads = common.threads;
  request.checkpoint = options.checkpoint.empty() ? options.out + ".checkpoint" : options.checkpoint;
  check_files(options.out, options.prior, request);
  request.ranks = common.ranks;
  const bool writes = speaks(common.ranks);
  if (writes) request.progress = progress_of_training();
  if (writes) {
    const AtomicFile probe(options.out);  // a path that cannot be written is better known now than after training
  }

  const Trained trained = train(request);
  if (!writes) return {};
  save_model(trained.model, options.out);
  std::error_code ignored;  // what is left of a checkpoint is no reason to call a model that is written a failure
  std::filesystem::remove(std::filesystem::canonical(request.checkpoint, ignored), ignored);  // not a link to it

  Report report;
  const Model& model = trained.model;
  report.json = model.staged ? staged_json(model, trained.report) : report_json(trained.report);
  report.json["model"] = options.out;
  report.text = fmt::format("{}: {} bits for {} coordinates, trained on {}\n\n{}", options.out, model.bits(),
                            model.dim(), model.metadata.at("trained on"),
                            model.staged ? staged_text(model, trained.report)
                                         : report_text(trained.report, request.method, model.bits() > model.dim()));
  return report;
}
}  // namespace

Action declare_train(CLI::App& app, const Common& common) {
  const auto options = std::make_shared<Options>();
  TrainRequest& request = options->request;
  const auto only = [options](std::vector<const CLI::Option*> Options::*method, CLI::Option* option) {
    (options.get()->*method).push_back(option);
    return option;
  };
  constexpr auto kStraight = &Options::straight_through_only;
  constexpr auto kPopulation = &Options::population_only;
  constexpr auto kEncoder = &Options::encoder_only;
  constexpr auto kStagesOnly = &Options::stages_only;
  app.add_option("--prior", options->prior, "Law of one coordinate, to train on fresh vectors")->type_name("PRIOR");
  app.add_option("--dim", request.dim, "Coordinates of a vector, with --prior")->type_name("D")->check(at_least(1));
  app.add_option("--data", request.data, "File of vectors to train on, instead (its mean is subtracted)")
      ->type_name("FILE");
  app.add_option("--test", request.test, "File to measure the risk on (default: a few vectors of --data, held out)")
      ->type_name("FILE");
  app.add_option("--rate", options->rate, "Bits per dimension, any number above 0")->type_name("R");
  app.add_option("--out", options->out, "Model file to write (.sfm)")->required()->type_name("FILE");
  app.add_option("--method", options->method, "How the gradient is found")->type_name("METHOD")->capture_default_str();
  app.add_option("--stages", options->stages, "Train a staged code: the bits of each stage, or auto, with --rate")
      ->type_name("N1,N2,...");
  only(kStagesOnly, app.add_option("--hidden", options->hidden,
                                   "Hidden units of the decoders: one number, or one for each stage (default 256)"))
      ->type_name("H[,H2,...]");
  only(kStagesOnly, app.add_option("--epochs", request.epochs, "Passes over --data for each stage (default 8)"))
      ->type_name("E");
  only(kStagesOnly, app.add_option("--joint-epochs", request.joint_epochs,
                                   "Passes for all stages together, afterwards (default 24)"))
      ->type_name("E");
  only(kStagesOnly, app.add_option("--search-epochs", request.search_epochs,
                                   "Passes at last, on the bits that a search finds (default 0)"))
      ->type_name("E");
  only(kStagesOnly,
       app.add_option("--search", request.search,
                      "Rounds of that search, and of encoding with the model (default 8 with --search-epochs, else 0)"))
      ->type_name("R")
      ->check(at_least(0));
  only(kStagesOnly, app.add_option("--augment", options->augment, "How training images are changed"))
      ->type_name("HOW")
      ->capture_default_str();
  only(kStagesOnly, app.add_option("--axes", request.axes,
                                   "Train in the first K principal axes of --data, much faster (default: no axes)"))
      ->type_name("K")
      ->check(at_least(1));
  only(kEncoder, app.add_option("--decoder", options->decoder, "What gives the vectors back, trained too"))
      ->type_name("DECODER")
      ->capture_default_str();
  app.add_option("--start", request.start,
                 "Rows to start from (default haar; population random; with --freeze-encoder hadamard)")
      ->type_name("START");
  only(kStraight,
       app.add_flag("--freeze-encoder", request.freeze_encoder,
                    "Keep the encoder of --start as it is, and as fast; train an untied decoder or a network"));
  only(kStraight, app.add_flag("--splines", request.splines, "network:L: train the pointwise functions too"));
  only(kStraight, app.add_flag("--own-matrix", request.own_matrix,
                               "network:L with --freeze-encoder: train a matrix of the layers too"));
  only(kStraight, app.add_option("--rows", options->rows,
                                 "orthonormal: so again after each step (default for tied decoders, R <= 1), or none"))
      ->type_name("KIND");
  only(kStraight, app.add_option("--optimizer", options->optimizer, "How gradients become steps"))
      ->type_name("OPTIMIZER")
      ->capture_default_str();
  app.add_option("--steps", request.steps, "Steps (default 8000; network:mlp 6000, :L 1000; population 200)")
      ->type_name("N")
      ->check(at_least(1));
  only(kStraight,
       app.add_option("--batch", request.batch, "Vectors per step (default 512; untied, network and stages 256)"))
      ->type_name("N")
      ->check(at_least(2));
  app.add_option("--step-size", request.step_size,
                 "At the start (default 0.01; network 0.003, :L 0.001; sgd 0.1; population 1)")
      ->type_name("S");
  only(kStraight, app.add_option("--network-step-size", request.network_step_size,
                                 "Of a network's own parameters (default 0.07/sqrt(bits); network:L 0.01)"))
      ->type_name("S");
  only(kStraight,
       app.add_option("--weight-decay", request.weight_decay,
                      "Of the matrices of hidden units, per unit of step size (default 0; --stages with --data 0.3)"))
      ->type_name("W");
  only(kStraight, app.add_option("--decay", options->decay, "How the step size falls"))
      ->type_name("DECAY")
      ->capture_default_str();
  only(kStraight, app.add_option("--tau", options->tau,
                                 "Width of the smoothed sign, or at first and at last (default 2; untied, network 1)"))
      ->type_name("T[:END]");
  only(kPopulation, app.add_option("--masks", request.masks, "Random masks per step, for a sparse prior"))
      ->type_name("N")
      ->check(at_least(1))
      ->capture_default_str();
  only(kPopulation, app.add_option("--noise", request.noise, "Length of the noise added to each row"))
      ->type_name("L")
      ->capture_default_str();
  app.add_option("--seed", request.seed, "Seed of start and vectors")
      ->type_name("S")
      ->check(at_least(0))
      ->capture_default_str();
  app.add_option("--checkpoint", options->checkpoint,
                 "Where progress is saved every minute, until the model is written (default OUT.checkpoint)")
      ->type_name("FILE");
  app.add_flag("--resume", request.resume, "Go on from the checkpoint");
  app.footer(help_footer(
      {{"Methods", kMethods},
       {"Decoders", kDecoders},
       {"Stages", kStages},
       {"Augmentations", kAugmentations},
       {"Starts", starts()},
       {"Optimizers", kOptimizers},
       {"Decays", kDecays},
       {"Priors", prior_help()},
       {"Interrupting",
        "Ctrl-C writes the checkpoint. The same command with --resume goes on, and ends with the same model, byte for\n"
        "byte, as if it had not been stopped. --resume also takes another --step-size, after a run that diverged.\n"},
       {"Several processes",
        "mpirun -np N signfold train ... divides every batch among N ranks, on one machine or many: docs/mpi.md.\n"}},
      "signfold train --prior sparse-rademacher:0.8 --dim 200 --rate 1 --out m.sfm\n"
      "signfold train --data train.npy --decoder untied --rate 0.5 --out m.sfm\n"
      "signfold train --data train.npy --decoder network:mlp:1024 --rate 0.5 --out m.sfm\n"
      "signfold train --data train.npy --decoder network:mlp:1024 --freeze-encoder --rate 0.5 --out fast.sfm\n"
      "signfold train --data images.npy --stages 98,98,196,392 --augment mirror --out staged.sfm"));
  return [options, &common] { return train_model(*options, common); };
}

}  // namespace signfold::cli
