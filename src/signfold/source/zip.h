// The parts of the zip format that .npz needs: the central directory (zip64 too), stored and deflated members, CRC-32.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "signfold/source/byte_stream.h"

namespace signfold {

/// One member, as the central directory describes it.
struct ZipMember {
  std::string name;
  std::uint16_t flags = 0;
  std::uint16_t method = 0;  ///< 0 = stored, 8 = deflated
  std::uint32_t crc = 0;
  std::uint64_t compressed_size = 0;
  std::uint64_t size = 0;
  std::uint64_t header_offset = 0;
};

/// The members of an archive in the order of its directory. Throws Error for damaged archives.
std::vector<ZipMember> read_zip_directory(const std::string& path);
/// The content of a member; length and CRC-32 are checked by the read that reaches the end. Throws Error for encrypted
/// members, other compression methods, and lengths that the data cannot have.
std::unique_ptr<ByteStream> open_zip_member(const std::string& path, const ZipMember& member);

}  // namespace signfold
