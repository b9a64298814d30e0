#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "signfold/base/error.h"
#include "signfold/source/cifar.h"
#include "signfold/source/idx.h"
#include "signfold/source/npy.h"
#include "signfold/source/npz.h"
#include "signfold/source/probe.h"
#include "signfold/source/source.h"
#include "signfold/source/vecs.h"

namespace signfold {
namespace {

struct Format {
  bool (*matches)(Probe& probe);
  std::unique_ptr<Source> (*open)(std::unique_ptr<ByteStream> stream);
};

/// The first that matches wins: unmistakable magics first, then files without any, the stricter test before the laxer.
constexpr std::array kFormats = {Format{is_npy, open_npy}, Format{is_idx, open_idx}, Format{is_fvecs, open_fvecs},
                                 Format{is_bvecs, open_bvecs}, Format{is_cifar, open_cifar}};

bool starts_with(const Probe& probe, std::string_view text) {
  return probe.starts_with(std::as_bytes(std::span(text)));
}

[[noreturn]] void fail_unknown(const std::string& path, const Probe& probe) {
  if (probe.head().empty()) fail("{} is empty", path);
  if (starts_with(probe, "SIGNFOLDM")) fail("{} is a Signfold model file, not vectors", path);
  if (starts_with(probe, "SIGNFOLDC")) fail("{} is a Signfold code file, not vectors; decode it first", path);
  std::string bytes;
  for (const std::byte b : probe.head().first(std::min<std::size_t>(8, probe.head().size()))) {
    bytes += fmt::format(" {:02x}", std::to_integer<int>(b));
  }
  fail(
      "{} is not recognised (it begins with{}): it is damaged, or none of .npy, .npz, IDX, CIFAR-10 binary, .fvecs, "
      ".bvecs; numpy.save writes .npy",
      path, bytes);
}

/// FILE.npz:NAME, unless a file has that very name.
struct Address {
  std::string path;
  std::string array;
};
Address split(const std::string& text) {
  std::error_code ignored;
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || std::filesystem::exists(text, ignored)) return {text, ""};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

std::unique_ptr<ByteStream> open_stream(const Address& address) {
  std::unique_ptr<ByteStream> stream = open_bytes(address.path);
  const Probe probe(*stream);
  // The second signature is that of an archive without members.
  if (starts_with(probe, "PK\x03\x04") || starts_with(probe, "PK\x05\x06")) {
    return open_npz(address.path, address.array);
  }
  if (!address.array.empty()) fail("{} is not an .npz archive: leave out ':{}'", address.path, address.array);
  return stream;
}

/// The formats that are known by their first bytes and say there how many vectors follow.
constexpr std::array kStreamFormats = {Format{is_npy, open_npy}, Format{is_idx, open_idx}};

}  // namespace

std::string file_of_vectors(const std::string& path) { return split(path).path; }

std::unique_ptr<Source> open_source(std::unique_ptr<Input> input) {
  std::unique_ptr<ByteStream> stream = open_bytes(std::move(input));
  Probe probe(*stream);
  for (const Format& format : kStreamFormats) {
    if (!format.matches(probe)) continue;
    stream->rewind();
    return format.open(std::move(stream));
  }
  if (probe.head().empty()) fail("{} is empty", stream->path());
  fail(
      "{} is not recognised as .npy or IDX, plain or gzipped, the formats that can be read from a pipe; save it to a "
      "file for .npz, CIFAR-10, .fvecs and .bvecs",
      stream->path());
}

std::unique_ptr<Source> open_source(const std::string& path) {
  std::unique_ptr<ByteStream> stream = open_stream(split(path));
  Probe probe(*stream);
  for (const Format& format : kFormats) {
    if (!format.matches(probe)) continue;
    stream->rewind();
    return format.open(std::move(stream));
  }
  fail_unknown(path, probe);
}

}  // namespace signfold
