/* project/root.py: which project a directory belongs to. */

struct root {
    const char *directory;
    bool settings;
};

/* The root of a directory's project, and whether it holds a settings file. */
static struct root find_root(const char *directory)
{
    char *folder = join(directory, "", ""), *nearest = NULL;
    do {
        char *settings = folder == NULL ? NULL : join_path(folder, SETTINGS);
        char *git = folder == NULL ? NULL : join_path(folder, ".git");
        if (settings == NULL || git == NULL)
            _exit(127);
        if (nearest == NULL && exists(settings))
            nearest = join(folder, "", "");
        if (exists(git))
            return (struct root){nearest == NULL ? folder : nearest, nearest != NULL};
    } while (to_parent(folder));
    return (struct root){directory, nearest != NULL && equal(nearest, directory)};
}

static const uint32_t sha256_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotated(uint32_t word, int bits) { return word >> bits | word << (32 - bits); }

/* SHA-256 of one more block of 64 bytes: FIPS 180-4, section 6.2.2. */
static void sha256_block(uint32_t state[8], const unsigned char *block)
{
    uint32_t w[64], v[8];
    for (int at = 0; at < 16; at++)
        w[at] = (uint32_t)block[4 * at] << 24 | (uint32_t)block[4 * at + 1] << 16 | (uint32_t)block[4 * at + 2] << 8 |
                block[4 * at + 3];
    for (int at = 16; at < 64; at++) {
        uint32_t first = rotated(w[at - 15], 7) ^ rotated(w[at - 15], 18) ^ w[at - 15] >> 3;
        uint32_t second = rotated(w[at - 2], 17) ^ rotated(w[at - 2], 19) ^ w[at - 2] >> 10;
        w[at] = w[at - 16] + first + w[at - 7] + second;
    }
    memcpy(v, state, sizeof v);
    for (int at = 0; at < 64; at++) {
        uint32_t sum = rotated(v[4], 6) ^ rotated(v[4], 11) ^ rotated(v[4], 25);
        uint32_t first = v[7] + sum + ((v[4] & v[5]) ^ (~v[4] & v[6])) + sha256_constants[at] + w[at];
        sum = rotated(v[0], 2) ^ rotated(v[0], 13) ^ rotated(v[0], 22);
        uint32_t second = sum + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof *v);
        v[4] += first;
        v[0] = first + second;
    }
    for (int at = 0; at < 8; at++)
        state[at] += v[at];
}

static const uint32_t sha256_start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

/* The hash of a text, by a function for a block of 64 bytes: FIPS 180-4, section 5.1.1 for the padding. */
static void hash(void (*block)(uint32_t[8], const unsigned char *), uint32_t state[8], const char *text, size_t length)
{
    size_t padded = (length + 9 + 63) / 64 * 64;
    unsigned char *blocks = calloc(padded, 1);
    if (blocks == NULL)
        _exit(127);
    memcpy(blocks, text, length);
    blocks[length] = 0x80;
    for (int at = 0; at < 8; at++)
        blocks[padded - 1 - (size_t)at] = (unsigned char)((uint64_t)length * 8 >> 8 * at);
    for (size_t at = 0; at < padded; at += 64)
        block(state, blocks + at);
}

/* The name of a project's files: the first half of its path's SHA-256, in hexadecimal digits. */
static void project_key(const char *directory, char key[33])
{
    uint32_t state[8];
    memcpy(state, sha256_start, sizeof state);
    hash(sha256_block, state, directory, strlen(directory));
    for (int at = 0; at < 4; at++)
        snprintf(key + 8 * at, 9, "%08x", state[at]);
}
