// Decompressing DEFLATE data (gzip files, zip members) in bounded memory, through zlib.
#pragma once

#include <memory>
#include <vector>

#include "signfold/source/byte_stream.h"

struct z_stream_s;

namespace signfold {

/// What a compressed stream decompresses to. Gzip: one or more members, each with its CRC and length checked; raw: one
/// DEFLATE stream and nothing after it. Damage, truncation and trailing bytes are Errors.
class InflateStream final : public ByteStream {
 public:
  enum class Format { gzip, raw };
  InflateStream(std::unique_ptr<ByteStream> compressed, Format format);
  ~InflateStream() override;
  std::size_t read(std::span<std::byte> bytes) override;
  void rewind() override;
  std::optional<std::uint64_t> size() const override { return {}; }
  std::optional<std::uint64_t> at_most() const override;

 private:
  void refill();
  bool load_input();
  void end_member();

  std::unique_ptr<ByteStream> compressed_;
  Format format_;
  std::unique_ptr<z_stream_s> zlib_;
  std::vector<std::byte> input_;
  std::vector<std::byte> output_;
  std::size_t next_ = 0;    ///< first byte of output_ not handed out yet
  std::size_t filled_ = 0;  ///< bytes in output_
  bool done_ = false;
};

}  // namespace signfold
