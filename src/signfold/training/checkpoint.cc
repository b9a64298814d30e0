#include "signfold/training/checkpoint.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "signfold/base/endian.h"
#include "signfold/base/error.h"
#include "signfold/base/file.h"
#include "signfold/base/hash.h"
#include "signfold/base/json.h"

namespace signfold {
namespace {

using nlohmann::json;

// magic (12) · version u32 · bytes of what follows the hash u64 · its XXH64 u64 · bytes of the JSON header u64 · header
// · arrays in the order of the header.
constexpr std::string_view kMagic = "SIGNFOLDT\r\n\x1a";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kVersionAt = 12;
constexpr std::size_t kSizeAt = 16;
constexpr std::size_t kHashAt = 24;
constexpr std::size_t kBodyAt = 32;
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 40;

template <class T>
void append(std::vector<std::byte>& out, T value) {
  std::byte bytes[sizeof(T)];
  store(value, bytes, ByteOrder::little);
  out.insert(out.end(), std::begin(bytes), std::end(bytes));
}

void append(std::vector<std::byte>& out, std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
  out.insert(out.end(), bytes.begin(), bytes.end());
}

std::vector<std::byte> body_of(const Checkpoint& checkpoint) {
  json arrays = json::array();
  for (const auto& [name, bytes] : checkpoint.arrays) arrays.push_back({{"name", name}, {"bytes", bytes.size()}});
  const std::string header =
      json{{"settings", checkpoint.settings}, {"progress", checkpoint.progress}, {"arrays", arrays}}.dump();
  std::vector<std::byte> body;
  append(body, static_cast<std::uint64_t>(header.size()));
  append(body, std::string_view(header));
  for (const auto& [name, bytes] : checkpoint.arrays) body.insert(body.end(), bytes.begin(), bytes.end());
  return body;
}

std::uint64_t number_at(std::span<const std::byte> bytes, std::size_t at) {
  return load<std::uint64_t>(bytes.data() + at, ByteOrder::little);
}

/// What follows the hash, once all that stands before it agrees with it.
std::span<const std::byte> checked_body(std::span<const std::byte> file, const std::string& path) {
  if (file.size() < kVersionAt || std::memcmp(file.data(), kMagic.data(), kMagic.size()) != 0) {
    fail("{} is not a Signfold checkpoint", path);
  }
  if (file.size() < kBodyAt + sizeof(std::uint64_t)) fail("{} is truncated: it ends in its header", path);
  const auto version = load<std::uint32_t>(file.data() + kVersionAt, ByteOrder::little);
  if (version != kVersion)
    fail("{} is a checkpoint of version {}; this program reads version {}", path, version, kVersion);
  const std::span<const std::byte> body = file.subspan(kBodyAt);
  if (number_at(file, kSizeAt) != body.size()) {
    fail("{} has {} bytes after its header where {} belong: it is truncated or damaged", path, body.size(),
         number_at(file, kSizeAt));
  }
  if (number_at(file, kHashAt) != hash64(body)) fail("{} is damaged: its checksum does not match", path);
  return body;
}

Checkpoint parse_body(std::span<const std::byte> body, const std::string& path) {
  const std::uint64_t header_bytes = number_at(body, 0);
  body = body.subspan(sizeof(std::uint64_t));
  if (header_bytes > body.size()) fail("{} is damaged: its header is longer than the file", path);
  const auto* text = reinterpret_cast<const char*>(body.data());
  Checkpoint checkpoint;
  try {
    const json header = parse_json({text, header_bytes}, fmt::format("the header of {}", path));
    body = body.subspan(header_bytes);
    for (const json& array : header.at("arrays")) {
      const auto size = array.at("bytes").get<std::uint64_t>();
      if (size > body.size()) fail("{} is damaged: an array is longer than the file", path);
      checkpoint.arrays.emplace(array.at("name").get<std::string>(),
                                std::vector<std::byte>(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(size)));
      body = body.subspan(size);
    }
    checkpoint.settings = header.at("settings");
    checkpoint.progress = header.at("progress");
  } catch (const json::exception& error) {
    fail("{} is damaged: its header is not the JSON of a checkpoint ({})", path, error.what());
  }
  if (!body.empty()) fail("{} is damaged: {} bytes follow its last array", path, body.size());
  return checkpoint;
}

template <class T>
void put(Checkpoint& checkpoint, const std::string& name, std::span<const T> values) {
  if (values.empty()) return;
  const auto bytes = std::as_bytes(values);
  checkpoint.arrays[name].assign(bytes.begin(), bytes.end());
}

/// Fills all of `values`, which is as large as the array must be.
template <class T>
void get(const Checkpoint& checkpoint, const std::string& name, std::span<T> values, const std::string& path) {
  if (values.empty()) return;
  const auto found = checkpoint.arrays.find(name);
  const std::size_t bytes = found == checkpoint.arrays.end() ? 0 : found->second.size();
  if (bytes != values.size_bytes()) {
    fail("{}: the array '{}' has {} bytes where {} belong", path, name, bytes, values.size_bytes());
  }
  std::memcpy(values.data(), found->second.data(), bytes);
}

/// One number of the progress, or an Error.
template <class T>
T progress_of(const Checkpoint& checkpoint, const char* name, const std::string& path) {
  try {
    return checkpoint.progress.at(name).get<T>();
  } catch (const json::exception&) {
    fail("{}: its progress has no usable '{}'", path, name);
  }
}

/// The arrays of a network or gradient, by name. Net is Autoencoder or const Autoencoder.
template <class Net>
auto numbers_of(Net& net) requires std::is_same_v<std::remove_const_t<Net>, Autoencoder> {
  using Value = std::conditional_t<std::is_const_v<Net>, const float, float>;
  using Named = std::pair<std::string, std::span<Value>>;
  return std::array{Named("encoder", net.encoder.values()), Named("gain", net.gain),
                    Named("decoder", net.decoder.values()), Named("hidden in", net.hidden.in.values()),
                    Named("hidden bias", net.hidden.bias),  Named("hidden out", net.hidden.out.values()),
                    Named("offset", net.hidden.offset)};
}

/// Those of a stage.
template <class S>
auto numbers_of(S& stage) requires std::is_same_v<std::remove_const_t<S>, Stage> {
  using Value = std::conditional_t<std::is_const_v<S>, const float, float>;
  using Named = std::pair<std::string, std::span<Value>>;
  return std::array{Named("encoder", stage.encoder.values()),
                    Named("threshold", stage.threshold),
                    Named("linear", stage.linear.values()),
                    Named("in", stage.in.values()),
                    Named("bias", stage.bias),
                    Named("out", stage.out.values()),
                    Named("offset", stage.offset)};
}

std::string stage_name(std::size_t stage, const std::string& name) {
  return fmt::format("stage {} {}", stage + 1, name);
}

/// What an optimizer remembers goes by the name of what it moves. State is TrainerState or const TrainerState.
template <class State>
auto optimizers(State& state) requires std::is_same_v<std::remove_const_t<State>, TrainerState> {
  return std::array{std::pair{"encoder", &state.encoder},       std::pair{"decoder", &state.decoder},
                    std::pair{"hidden in", &state.hidden_in},   std::pair{"hidden bias", &state.hidden_bias},
                    std::pair{"hidden out", &state.hidden_out}, std::pair{"offset", &state.offset}};
}

template <class Of>
auto optimizers(Of& stage) requires std::is_same_v<std::remove_const_t<Of>, StageOptimizers> {
  return std::array{std::pair{"encoder", &stage.encoder}, std::pair{"threshold", &stage.threshold},
                    std::pair{"linear", &stage.linear},   std::pair{"in", &stage.in},
                    std::pair{"bias", &stage.bias},       std::pair{"out", &stage.out},
                    std::pair{"offset", &stage.offset}};
}

}  // namespace

void save_checkpoint(const Checkpoint& checkpoint, const std::string& path) {
  const std::vector<std::byte> body = body_of(checkpoint);
  std::vector<std::byte> head;
  append(head, kMagic);
  append(head, kVersion);
  append(head, static_cast<std::uint64_t>(body.size()));
  append(head, hash64(body));
  AtomicFile file(path);
  file.write(head);
  file.write(body);
  file.commit();
}

Checkpoint load_checkpoint(const std::string& path) {
  const std::vector<std::byte> file = read_file(path, kMostBytes);
  return parse_body(checked_body(file, path), path);
}

void check_settings(const Checkpoint& checkpoint, const json& settings, const std::string& path) {
  for (const bool missing : {false, true}) {  // a setting that differs says more than one that only this run has
    for (const auto& [name, value] : settings.items()) {
      const json theirs = checkpoint.settings.is_object() ? checkpoint.settings.value(name, json()) : json();
      if (theirs == value || theirs.is_null() != missing) continue;
      fail("{} was written by another run: its {} is {}, this run's is {}", path, name, theirs.dump(), value.dump());
    }
  }
}

Checkpoint to_checkpoint(const TrainerState& state, json settings) {
  Checkpoint checkpoint;
  checkpoint.settings = std::move(settings);
  checkpoint.progress = {{"step", state.step}, {"loss", state.loss}, {"history", state.history}};
  for (const auto& [name, values] : numbers_of(state.net)) put(checkpoint, name, values);
  if (std::isfinite(state.best_risk)) {
    checkpoint.progress["best risk"] = state.best_risk;
    for (const auto& [name, values] : numbers_of(state.best)) put(checkpoint, "best " + name, values);
  }
  for (const auto& [name, optimizer] : optimizers(state)) {
    put(checkpoint, std::string(name) + " first", std::span<const float>(optimizer->first.values()));
    put(checkpoint, std::string(name) + " second", std::span<const float>(optimizer->second.values()));
  }
  return checkpoint;
}

TrainerState trainer_state(const Checkpoint& checkpoint, const TrainerOptions& options, std::size_t bits,
                           std::size_t dim, const std::string& path) {
  TrainerState state = blank_state(options, bits, dim);
  state.step = progress_of<std::size_t>(checkpoint, "step", path);
  state.loss = progress_of<double>(checkpoint, "loss", path);
  state.history = progress_of<decltype(state.history)>(checkpoint, "history", path);
  if (state.step > options.steps) fail("{} is at step {} of {}", path, state.step, options.steps);
  for (const auto& [name, values] : numbers_of(state.net)) get(checkpoint, name, values, path);
  if (checkpoint.progress.contains("best risk")) {
    state.best_risk = progress_of<double>(checkpoint, "best risk", path);
    for (const auto& [name, values] : numbers_of(state.best)) get(checkpoint, "best " + name, values, path);
  }
  for (const auto& [name, optimizer] : optimizers(state)) {
    get(checkpoint, std::string(name) + " first", optimizer->first.values(), path);
    get(checkpoint, std::string(name) + " second", optimizer->second.values(), path);
  }
  return state;
}

Checkpoint to_checkpoint(const PopulationState& state, json settings) {
  Checkpoint checkpoint;
  checkpoint.settings = std::move(settings);
  checkpoint.progress = {
      {"step", state.step}, {"step size", state.step_size}, {"risk", state.risk}, {"converged", state.converged}};
  put(checkpoint, "rows", state.rows.values());
  return checkpoint;
}

PopulationState population_state(const Checkpoint& checkpoint, std::size_t bits, std::size_t dim,
                                 const std::string& path) {
  PopulationState state;
  state.step = progress_of<std::size_t>(checkpoint, "step", path);
  state.step_size = progress_of<double>(checkpoint, "step size", path);
  state.risk = progress_of<double>(checkpoint, "risk", path);
  state.converged = progress_of<bool>(checkpoint, "converged", path);
  state.rows = Matrix<double>(bits, dim);
  get(checkpoint, "rows", state.rows.values(), path);
  return state;
}

Checkpoint to_checkpoint(const StagedState& state, json settings) {
  Checkpoint checkpoint;
  checkpoint.settings = std::move(settings);
  checkpoint.progress = {{"step", state.step},
                         {"loss", state.loss},
                         {"history", state.history},
                         {"stages", state.stages.size()},
                         {"in training", state.optimizers.size()}};
  for (std::size_t s = 0; s < state.stages.size(); ++s) {
    for (const auto& [name, values] : numbers_of(state.stages[s])) put(checkpoint, stage_name(s, name), values);
  }
  const std::size_t first = state.stages.size() - state.optimizers.size();
  for (std::size_t k = 0; k < state.optimizers.size(); ++k) {
    for (const auto& [name, optimizer] : optimizers(state.optimizers[k])) {
      put(checkpoint, stage_name(first + k, name) + " first", std::span<const float>(optimizer->first.values()));
      put(checkpoint, stage_name(first + k, name) + " second", std::span<const float>(optimizer->second.values()));
    }
  }
  if (state.best.empty()) return checkpoint;
  checkpoint.progress["best measure"] = state.best_measure;
  for (std::size_t k = 0; k < state.best.size(); ++k) {
    for (const auto& [name, values] : numbers_of(state.best[k])) {
      put(checkpoint, "best " + stage_name(first + k, name), values);
    }
  }
  return checkpoint;
}

StagedState staged_state(const Checkpoint& checkpoint, const StagedOptions& options, std::size_t dim,
                         const std::string& path) {
  StagedState state;
  state.step = progress_of<std::size_t>(checkpoint, "step", path);
  state.loss = progress_of<double>(checkpoint, "loss", path);
  state.history = progress_of<decltype(state.history)>(checkpoint, "history", path);
  const auto begun = progress_of<std::size_t>(checkpoint, "stages", path);
  const auto trained = progress_of<std::size_t>(checkpoint, "in training", path);
  if (state.step > staged_steps(options)) fail("{} is at step {} of {}", path, state.step, staged_steps(options));
  if (begun > options.bits.size() || trained > begun) {
    fail("{} has {} stages of {}, {} of them in training", path, begun, options.bits.size(), trained);
  }
  const std::size_t due = std::min((state.step + options.steps - 1) / options.steps, options.bits.size());
  const bool joint = state.step > options.bits.size() * options.steps;
  if (begun != due || trained != (joint ? begun : std::min<std::size_t>(begun, 1))) {
    fail("{} has {} stages at step {}, {} of them in training, where {} belong", path, begun, state.step, trained, due);
  }
  std::size_t before = 0;
  for (std::size_t s = 0; s < begun; ++s) {
    state.stages.push_back(blank_stage(options.bits[s], before, hidden_of(options, s), dim));
    before += options.bits[s];
    for (const auto& [name, values] : numbers_of(state.stages[s])) get(checkpoint, stage_name(s, name), values, path);
  }
  for (std::size_t s = begun - trained; s < begun; ++s) {
    state.optimizers.push_back(stage_optimizers(state.stages[s]));
    for (const auto& [name, optimizer] : optimizers(state.optimizers.back())) {
      get(checkpoint, stage_name(s, name) + " first", optimizer->first.values(), path);
      get(checkpoint, stage_name(s, name) + " second", optimizer->second.values(), path);
    }
  }
  if (!checkpoint.progress.contains("best measure")) return state;
  state.best_measure = progress_of<double>(checkpoint, "best measure", path);
  for (std::size_t s = begun - trained; s < begun; ++s) {
    state.best.push_back(state.stages[s].clone());
    for (const auto& [name, values] : numbers_of(state.best.back())) {
      get(checkpoint, "best " + stage_name(s, name), values, path);
    }
  }
  return state;
}

Checkpoint to_checkpoint(const UnrolledState& state, json settings) {
  Checkpoint checkpoint;
  checkpoint.settings = std::move(settings);
  checkpoint.progress = {{"step", state.step},           {"loss", state.loss},
                         {"history", state.history},     {"best step", state.best_step},
                         {"best risk", state.best_risk}, {"start risk", state.start_risk}};
  put(checkpoint, "parameters", std::span<const double>(unrolled_parameters(state.decoder)));
  put(checkpoint, "best parameters", std::span<const double>(unrolled_parameters(state.best)));
  put(checkpoint, "matrix", state.decoder.matrix.values());
  put(checkpoint, "best matrix", state.best.matrix.values());
  for (const auto& [name, optimizer] : {std::pair{"scalars", &state.scalars}, std::pair{"matrix", &state.matrix}}) {
    put(checkpoint, fmt::format("{} first", name), optimizer->first.values());
    put(checkpoint, fmt::format("{} second", name), optimizer->second.values());
  }
  return checkpoint;
}

void restore(const Checkpoint& checkpoint, std::size_t steps, const std::string& path, UnrolledState& state) {
  state.step = progress_of<std::size_t>(checkpoint, "step", path);
  if (state.step > steps) fail("{} is at step {} of {}", path, state.step, steps);
  state.loss = progress_of<double>(checkpoint, "loss", path);
  state.history = progress_of<decltype(state.history)>(checkpoint, "history", path);
  state.best_step = progress_of<std::size_t>(checkpoint, "best step", path);
  if (state.history.empty() || state.best_step > state.step) {
    fail("{}: its progress has no history, or a best step after the last", path);
  }
  state.best_risk = progress_of<double>(checkpoint, "best risk", path);
  state.start_risk = progress_of<double>(checkpoint, "start risk", path);
  for (const auto& [name, decoder] : {std::pair{"", &state.decoder}, std::pair{"best ", &state.best}}) {
    std::vector<double> parameters(unrolled_parameters(*decoder).size());
    get(checkpoint, fmt::format("{}parameters", name), std::span(parameters), path);
    set_unrolled_parameters(parameters, *decoder);
    get(checkpoint, fmt::format("{}matrix", name), decoder->matrix.values(), path);
  }
  for (const auto& [name, optimizer] : {std::pair{"scalars", &state.scalars}, std::pair{"matrix", &state.matrix}}) {
    get(checkpoint, fmt::format("{} first", name), optimizer->first.values(), path);
    get(checkpoint, fmt::format("{} second", name), optimizer->second.values(), path);
  }
}

}  // namespace signfold
