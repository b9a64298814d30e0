// Reading vectors in a fuzz target: every block, within bounds of time and memory that no format sets.
#pragma once

#include <algorithm>
#include <memory>

#include "fuzz.h"
#include "signfold/source/source.h"

namespace signfold::fuzz {

/// Up to 64 blocks; vectors too long for a small block are left unread, as every caller compares dimensions first.
inline void read_some(Source& source) {
  constexpr std::size_t kNumbers = 1 << 16;
  if (source.dim() > kNumbers) return;
  Matrix<float> block(std::min<std::uint64_t>(kNumbers / source.dim(), source.rows()), source.dim());
  for (int i = 0; i < 64 && source.read(block) > 0; ++i) {
  }
}

/// The whole road from a file: recognised, opened, read.
inline void read_file_of_vectors(std::span<const std::byte> content) {
  survives([&] { read_some(*open_source(memory_file(content))); });
}

/// One format's own reader, whatever the recogniser would say.
template <class Open>
void read_as(const Open& open, std::span<const std::byte> content) {
  survives([&] { read_some(*open(open_bytes(memory_file(content)))); });
}

inline std::vector<std::string> stored_seeds(std::initializer_list<const char*> names) {
  std::vector<std::string> out;
  for (const char* name : names) out.push_back(content_of(std::string("tests/fuzz/seeds/") + name));
  return out;
}

}  // namespace signfold::fuzz
