// Compressed data: gzip files, whatever they hold, and bare DEFLATE streams; as files and through a pipe.
#include "signfold/source/inflate.h"

#include <array>

#include "signfold/base/pipe.h"
#include "sources.h"

namespace signfold::fuzz {

std::vector<std::string> seeds() { return stored_seeds({"f4.npy.gz", "members.idx.gz"}); }

/// At most 16 MB of what comes out: a small file may well stand for gigabytes.
void inflate_some(std::span<const std::byte> content, InflateStream::Format format) {
  survives([&] {
    InflateStream stream(open_plain(memory_file(content)), format);
    std::array<std::byte, 4096> chunk{};
    for (int i = 0; i < 4096 && stream.read(chunk) > 0; ++i) {
    }
    stream.rewind();
    stream.read(chunk);
  });
}

/// Nobody knows how long a pipe is: its promise stands until it breaks off, and whoever reads one compares dimensions
/// before taking memory.
void read_pipe(std::span<const std::byte> content) {
  constexpr std::size_t kWanted = std::size_t{1} << 16;
  survives([&] {
    const auto source = open_source(std::make_unique<PipeInput>(memory_file(content)));
    if (source->dim() <= kWanted) read_blocks(*source);
  });
}

}  // namespace signfold::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace signfold;  // NOLINT
  const auto content = fuzz::bytes(data, size);
  fuzz::inflate_some(content, InflateStream::Format::gzip);
  fuzz::inflate_some(content, InflateStream::Format::raw);
  fuzz::read_file_of_vectors(content);
  fuzz::read_pipe(content);
  return 0;
}
