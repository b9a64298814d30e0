// The container of model files (docs/formats.md section 1): tagged sections, each with its length and checksum.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace signfold {

constexpr std::uint32_t kModelVersion = 1;

/// Builds a container in memory. Tags are at most 8 printable characters; one that starts with a lower-case letter may
/// be skipped by readers that do not know it.
class ContainerWriter {
 public:
  ContainerWriter();
  void add(std::string_view tag, std::span<const std::byte> payload);
  /// The whole file, with its header completed.
  std::vector<std::byte> finish(std::uint64_t fingerprint) &&;

 private:
  std::vector<std::byte> bytes_;
  std::uint32_t sections_ = 0;
};

/// A container read: the payloads are views into the bytes it was read from.
struct Container {
  std::uint64_t fingerprint = 0;
  std::map<std::string, std::span<const std::byte>> sections;
};

/// Checks magic, version, lengths and every checksum before anything is believed. Throws Error that starts with `name`
/// for anything damaged, for repeated sections and for bytes after the end.
Container read_container(std::span<const std::byte> bytes, const std::string& name);

}  // namespace signfold
