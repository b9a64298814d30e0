#include "signfold/codec/magic.h"

#include <algorithm>
#include <array>

#include "signfold/base/error.h"
#include "signfold/base/file.h"
#include "signfold/codec/bytes.h"

namespace signfold {
namespace {

struct Known {
  std::string_view start;
  const char* what;
};
constexpr std::array<Known, 7> kKnown = {{
    {kModelMagic, "a Signfold model"},
    {kCodeMagic, "a Signfold code file"},
    {kCheckpointMagic, "a checkpoint of signfold train"},
    {"SIGNFOLD", "a Signfold file damaged in its first bytes (was it transferred as text?)"},
    {"\x93NUMPY", "a NumPy array"},
    {"PK\x03\x04", "a zip archive"},
    {"\x1f\x8b", "gzipped"},
}};

}  // namespace

FileKind file_kind(std::span<const std::byte> start) {
  if (text_of(start).starts_with(kModelMagic)) return FileKind::model;
  if (text_of(start).starts_with(kCodeMagic)) return FileKind::codes;
  if (text_of(start).starts_with(kCheckpointMagic)) return FileKind::checkpoint;
  return FileKind::other;
}

FileKind file_kind(const std::string& path) {
  InputFile file(path);
  std::array<std::byte, kModelMagic.size()> start{};
  return file_kind(std::span(start).first(file.read(start)));
}

std::string describe_start(std::span<const std::byte> start) {
  if (start.empty()) return "empty";
  for (const Known& known : kKnown) {
    if (text_of(start).starts_with(known.start)) return known.what;
  }
  std::string hex;
  for (const std::byte b : start.first(std::min<std::size_t>(4, start.size()))) {
    hex += fmt::format(" {:02x}", static_cast<unsigned>(b));
  }
  return "of unknown kind (it starts with" + hex + ")";
}

}  // namespace signfold
