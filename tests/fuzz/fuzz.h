// What the fuzz targets share. A target is NAME_fuzz.cc: one LLVMFuzzerTestOneInput and the inputs to begin with. It is
// linked to libFuzzer (preset fuzz, dev/fuzz) or to driver.cc, which mutates those inputs a fixed number of times.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace signfold::fuzz {

/// Inputs to begin with; every target defines it.
std::vector<std::string> seeds();

/// The content of a file, by its path in the source tree.
std::string content_of(const std::string& path);
/// Writes a file that lives in memory and returns a path to it. The next call overwrites it.
std::string memory_file(std::span<const std::byte> content);
/// Runs a reader: an Error of one line is as good as a success, anything else ends the process.
/// Returns whether it came to its end.
bool survives(const std::function<void()>& reader);
/// Ends the process with a message when a property does not hold.
void require(bool holds, const char* property);

inline std::span<const std::byte> bytes(const std::uint8_t* data, std::size_t size) {
  return std::as_bytes(std::span(data, size));
}
inline std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
inline std::string_view text(std::span<const std::byte> content) {
  return {reinterpret_cast<const char*>(content.data()), content.size()};
}

}  // namespace signfold::fuzz
