// Block sizes of the matrix product and of attention, shared by every row so that one workspace
// fits all.
#pragma once

#include <cstdint>

namespace cupel {

constexpr int64_t kBlockDepth = 384;   // a panel of B (24 or 48 KiB) stays in L1, or nearly
constexpr int64_t kMaxBlockRows = 96;  // a block of A (144 KiB) stays in L2
constexpr int64_t kBlockCols = 512;    // a block of B (768 KiB) stays in L2 or L3
constexpr int64_t kStripRows = 576;    // rows of C whose fp32 sums are kept until they are rounded
constexpr int64_t kPackSlack = 64;     // what packing may write past its end
constexpr int64_t kDepthsTogether =
    8;  // as many as lines of one L1 set: depths may lie 4 KiB apart
constexpr int64_t kPrefetchDepth = 96;  // shallower tiles end before a prefetch of C pays

// Where each block begins, in floats.
constexpr int64_t kABlockAt = kBlockDepth * kBlockCols + kPackSlack;
constexpr int64_t kCBlockAt = kABlockAt + kBlockDepth * kMaxBlockRows + kPackSlack;
constexpr int64_t kGemmWorkspaceFloats = kCBlockAt + kStripRows * kBlockCols;

// Products of 8-bit integers. A panel of B holds kInt8PanelCols columns, four depths of each side
// by side, as VPDPBUSD and TDPBUSD take them; depth is padded to that of a tile of AMX.
constexpr int64_t kInt8PanelCols = 32;
constexpr int64_t kInt8Depth = 64;
constexpr int64_t kInt8Quad = 4 * kInt8PanelCols;  // bytes of a panel a step of four depths
constexpr int64_t kInt8StripRows = 96;             // of A, which stay in L2

// Products with 4-bit codes. A panel holds kCb4PanelCols rows of W; of a block of 32 depths, line i
// of four has byte q of depths 4 i + q (low nibbles) and 16 + 4 i + q (high) of each, side by side.
constexpr int64_t kCb4PanelCols = 16;
constexpr int64_t kCb4Line = 4 * kCb4PanelCols, kCb4Lines = 4;
constexpr int64_t kCb4Depth = 512;      // decoded at a time, two panels (16 KiB) stay in L1
constexpr int64_t kCb4StripRows = 384;  // of A, kCb4Depth deep (192 KiB), stay in L2

constexpr float kNothing = 0x1p-100f;  // what is within it becomes 0, so that steps are normal

// Attention: scores of kQueryBlock x kKeyBlock pairs at a time. The stride is an odd number of
// cache lines, so that a column of scores spreads over all sets of L1.
constexpr int64_t kMaxQueryBlock = 48;
constexpr int64_t kKeyBlock = 256;
constexpr int64_t kScoreStride = kKeyBlock + 16;
constexpr int64_t kMaxTileCols = 32;

}  // namespace cupel
