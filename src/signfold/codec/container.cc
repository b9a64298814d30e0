#include "signfold/codec/container.h"

#include <algorithm>

#include "signfold/base/error.h"
#include "signfold/base/hash.h"
#include "signfold/codec/bytes.h"
#include "signfold/codec/magic.h"

namespace signfold {
namespace {

constexpr std::size_t kHeaderSize = 48;
constexpr std::size_t kSectionHeaderSize = 24;
constexpr std::size_t kTagSize = 8;
// Offsets inside the header.
constexpr std::size_t kAtVersion = 12;
constexpr std::size_t kAtHeaderSize = 16;
constexpr std::size_t kAtSections = 20;
constexpr std::size_t kAtFileSize = 24;
constexpr std::size_t kAtFingerprint = 32;
constexpr std::size_t kAtChecksum = 40;

void append_bytes(std::vector<std::byte>& out, std::span<const std::byte> bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void put(std::vector<std::byte>& out, std::size_t offset, std::uint64_t value) {
  std::memcpy(out.data() + offset, &value, sizeof(value));
}

/// Returns the number of sections.
std::uint32_t check_header(std::span<const std::byte> bytes, const std::string& name) {
  if (file_kind(bytes) != FileKind::model) fail("{} is not a Signfold model: it is {}", name, describe_start(bytes));
  if (bytes.size() < kHeaderSize) fail("{} is truncated: it ends inside its header", name);
  const auto version = number_at<std::uint32_t>(bytes, kAtVersion);
  if (version != kModelVersion) {
    fail("{} is a model of version {}; this program reads version {}", name, version, kModelVersion);
  }
  if (number_at<std::uint32_t>(bytes, kAtHeaderSize) != kHeaderSize ||
      number_at<std::uint64_t>(bytes, kAtChecksum) != hash64(bytes.first(kAtChecksum))) {
    fail("{} is damaged: the checksum of its header is wrong", name);
  }
  const auto size = number_at<std::uint64_t>(bytes, kAtFileSize);
  if (size > bytes.size()) fail("{} is truncated: it has {} bytes of {}", name, bytes.size(), size);
  if (size < bytes.size()) fail("{} is damaged: {} bytes follow its end", name, bytes.size() - size);
  return number_at<std::uint32_t>(bytes, kAtSections);
}

}  // namespace

ContainerWriter::ContainerWriter() {
  append_bytes(bytes_, bytes_of(kModelMagic));
  append(bytes_, kModelVersion);
  append(bytes_, static_cast<std::uint32_t>(kHeaderSize));
  bytes_.resize(kHeaderSize);
}

void ContainerWriter::add(std::string_view tag, std::span<const std::byte> payload) {
  const std::size_t start = bytes_.size();
  bytes_.reserve(start + kSectionHeaderSize + padded(payload.size()));
  append(bytes_, std::uint64_t{0});
  append_bytes(bytes_, bytes_of(tag));
  bytes_.resize(start + 8 + kTagSize);
  append(bytes_, static_cast<std::uint64_t>(payload.size()));
  append_bytes(bytes_, payload);
  bytes_.resize(start + kSectionHeaderSize + padded(payload.size()));
  put(bytes_, start, hash64(std::span(bytes_).subspan(start + 8)));
  ++sections_;
}

std::vector<std::byte> ContainerWriter::finish(std::uint64_t fingerprint) && {
  std::memcpy(bytes_.data() + kAtSections, &sections_, sizeof(sections_));
  put(bytes_, kAtFileSize, bytes_.size());
  put(bytes_, kAtFingerprint, fingerprint);
  put(bytes_, kAtChecksum, hash64(std::span(bytes_).first(kAtChecksum)));
  return std::move(bytes_);
}

Container read_container(std::span<const std::byte> bytes, const std::string& name) {
  const std::uint32_t count = check_header(bytes, name);
  Container out;
  out.fingerprint = number_at<std::uint64_t>(bytes, kAtFingerprint);
  std::span<const std::byte> rest = bytes.subspan(kHeaderSize);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (rest.size() < kSectionHeaderSize) fail("{} is damaged: section {} lies outside the file", name, i);
    const auto length = number_at<std::uint64_t>(rest, 8 + kTagSize);
    const std::uint64_t room = rest.size() - kSectionHeaderSize;
    if (length > room || padded(length) > room) fail("{} is damaged: section {} is longer than the file", name, i);
    const std::size_t whole = kSectionHeaderSize + padded(length);
    if (number_at<std::uint64_t>(rest, 0) != hash64(rest.subspan(8, whole - 8))) {
      fail("{} is damaged: the checksum of section {} is wrong", name, i);
    }
    std::string tag(text_of(rest.subspan(8, kTagSize)));
    tag.erase(std::find(tag.begin(), tag.end(), '\0'), tag.end());
    if (!out.sections.emplace(tag, rest.subspan(kSectionHeaderSize, length)).second) {
      fail("{} is damaged: it has two sections '{}'", name, tag);
    }
    rest = rest.subspan(whole);
  }
  if (!rest.empty()) fail("{} is damaged: {} bytes follow its last section", name, rest.size());
  return out;
}

}  // namespace signfold
