/* hot/traceparent.py: TRACEPARENT for a line, the span of its target. */

static uint32_t rotated_left(uint32_t word, int bits) { return word << bits | word >> (32 - bits); }

/* SHA-1 of one more block of 64 bytes: FIPS 180-4, section 6.1.2. */
static void sha1_block(uint32_t state[8], const unsigned char *block)
{
    uint32_t w[80], v[5];
    for (int at = 0; at < 16; at++)
        w[at] = (uint32_t)block[4 * at] << 24 | (uint32_t)block[4 * at + 1] << 16 | (uint32_t)block[4 * at + 2] << 8 |
                block[4 * at + 3];
    for (int at = 16; at < 80; at++)
        w[at] = rotated_left(w[at - 3] ^ w[at - 8] ^ w[at - 14] ^ w[at - 16], 1);
    memcpy(v, state, sizeof v);
    for (int at = 0; at < 80; at++) {
        uint32_t mixed = at < 20   ? ((v[1] & v[2]) | (~v[1] & v[3])) + 0x5a827999
                         : at < 40 ? (v[1] ^ v[2] ^ v[3]) + 0x6ed9eba1
                         : at < 60 ? ((v[1] & v[2]) | (v[1] & v[3]) | (v[2] & v[3])) + 0x8f1bbcdc
                                   : (v[1] ^ v[2] ^ v[3]) + 0xca62c1d6;
        uint32_t sum = rotated_left(v[0], 5) + mixed + v[4] + w[at];
        v[4] = v[3];
        v[3] = v[2];
        v[2] = rotated_left(v[1], 30);
        v[1] = v[0];
        v[0] = sum;
    }
    for (int at = 0; at < 5; at++)
        state[at] += v[at];
}

/* The message id of a target (combine/event.py): a UUID of version 5, RFC 9562, section 5.5. False without memory. */
static bool message_id(const char *run, const char *make, const char *target, char id[37])
{
    static const unsigned char namespace[16] = {0x6b, 0x1f, 0x1d, 0x5e, 0x52, 0xb5, 0x5c, 0x54,
                                                0x9d, 0x0a, 0x3c, 0x1d, 0x0c, 0x1a, 0x7f, 0x10};
    uint32_t state[8] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0, 0, 0, 0};
    while (starts_with(target, "./") && target[2] != '\0') { /* combine/parts.py: without_dot */
        target += 2;
        target += strspn(target, "/");
    }
    size_t names = strlen(run) + strlen(make) + strlen(target) + 2;
    char *text = calloc(sizeof namespace + names + 1, 1);
    if (text == NULL)
        return false;
    memcpy(text, namespace, sizeof namespace);
    snprintf(text + sizeof namespace, names + 1, "%s/%s/%s", run, make, target);
    hash(sha1_block, state, text, sizeof namespace + names);
    state[1] = (state[1] & 0xffff0fff) | 0x5000;
    state[2] = (state[2] & 0x3fffffff) | 0x80000000;
    snprintf(id, 37, "%08x-%04x-%04x-%04x-%04x%08x", state[0], state[1] >> 16, state[1] & 0xffff, state[2] >> 16,
             state[2] & 0xffff, state[3]);
    return true;
}

/* The variable with its value for a target, from what the walk has left in the marker; NULL without memory. */
static char *traceparent_of(const char *trace_and_id, const char *run, const char *make, const char *target)
{
    const char *slash = strchr(trace_and_id, '/');
    char id[37];
    if (slash == NULL || slash - trace_and_id != 32 || !message_id(run, make, target, id))
        return NULL;
    char *text = join("span ", slash + 1, " ");
    text = text == NULL ? NULL : join(text, id, "");
    char *variable = calloc(80, 1);
    if (text == NULL || variable == NULL)
        return NULL;
    uint32_t state[8];
    memcpy(state, sha256_start, sizeof state);
    hash(sha256_block, state, text, strlen(text));
    snprintf(variable, 80, "TRACEPARENT=00-%.32s-%08x%08x-01", trace_and_id, state[0], state[1]);
    return variable;
}

/* The environment with TRACEPARENT for this line; the same one where the run cannot be told. Waits for the walk. */
static char **traced_environment(struct recorder *recorder, const struct arguments *arguments, char **environment)
{
    mode_t mask = umask(077);
    umask(mask & 077); /* we read what we write */
    if (*recorder->run == '\0')
        start_walk(recorder, arguments, environment, true);
    if (*recorder->run == '\0')
        wait_for_run(recorder);
    umask(mask);
    char *variable = recorder->trace == NULL
                         ? NULL
                         : traceparent_of(recorder->trace, recorder->run, recorder->make, arguments->target);
    size_t count = 0;
    while (environment[count] != NULL)
        count++;
    char **traced = variable == NULL ? NULL : calloc(count + 2, sizeof *traced);
    if (traced == NULL)
        return environment;
    memcpy(traced, environment, count * sizeof *traced);
    char **place = find_variable(traced, "TRACEPARENT", strlen("TRACEPARENT"));
    *(place == NULL ? traced + count : place) = variable;
    return traced;
}
