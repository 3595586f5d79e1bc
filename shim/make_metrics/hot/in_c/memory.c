/* Memory that is never freed. A line needs a page or two: taken from one piece they cost no system call. What does not
 * fit comes from the C library. With sanitizers all does: they know the bounds of its blocks. */

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__
#endif
#endif
#ifndef __SANITIZE_ADDRESS__

#define PIECE_BYTES ((size_t)65536)
#define BLOCK_BYTES (sizeof(max_align_t) > sizeof(size_t) ? sizeof(max_align_t) : sizeof(size_t)) /* in front: size */

static _Alignas(max_align_t) char piece[PIECE_BYTES];
static size_t piece_used;

static void *take(size_t size)
{
    size_t room = (size + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES + BLOCK_BYTES;
    if (size > PIECE_BYTES || room > PIECE_BYTES - piece_used)
        return malloc(size);
    char *block = piece + piece_used + BLOCK_BYTES;
    memcpy(block - BLOCK_BYTES, &size, sizeof size);
    piece_used += room;
    return block;
}

static void *take_zeros(size_t count, size_t size)
{
    if (size != 0 && count > PIECE_BYTES / size)
        return calloc(count, size);
    void *block = take(count * size);
    return block == NULL ? NULL : memset(block, 0, count * size);
}

/* Change a block's size; it keeps its place if it is the last. */
static void *resize(void *block, size_t size)
{
    uintptr_t at = (uintptr_t)block - (uintptr_t)piece;
    size_t before;
    if (block == NULL)
        return take(size);
    if (at >= PIECE_BYTES)
        return realloc(block, size);
    memcpy(&before, (char *)block - BLOCK_BYTES, sizeof before);
    if (at + (before + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES == piece_used)
        piece_used = at - BLOCK_BYTES;
    void *other = take(size);
    return other == block || other == NULL ? other : memcpy(other, block, before < size ? before : size);
}

#define malloc take
#define calloc take_zeros
#define realloc resize
#endif
