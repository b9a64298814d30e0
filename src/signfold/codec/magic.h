// The first bytes of Signfold's files, and what to say about a file that starts otherwise.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace signfold {

/// All are 12 bytes. The line ends and the ^Z reveal a transfer that treated the file as text.
constexpr std::string_view kModelMagic = "SIGNFOLDM\r\n\x1a";
constexpr std::string_view kCodeMagic = "SIGNFOLDC\r\n\x1a";
constexpr std::string_view kCheckpointMagic = "SIGNFOLDT\r\n\x1a";  // written and read by training/
static_assert(kModelMagic.size() == 12 && kCodeMagic.size() == 12 && kCheckpointMagic.size() == 12);

enum class FileKind { model, codes, checkpoint, other };
/// Recognised by the first 12 bytes.
FileKind file_kind(std::span<const std::byte> start);
/// The kind of a file on disk. Throws Error{io} when it cannot be read.
FileKind file_kind(const std::string& path);
/// What a file seems to be, e.g. "a Signfold code file", "a NumPy array", "of unknown kind (it starts with 00 00 08
/// 03)".
std::string describe_start(std::span<const std::byte> start);

}  // namespace signfold
