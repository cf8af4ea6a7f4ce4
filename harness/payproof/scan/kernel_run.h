/* The steps of a program, for vectors of BYTES bytes: kernel.c includes this once for each kind of processor. */
typedef uint64_t VECTOR __attribute__((vector_size(BYTES)));
typedef uint64_t ANYWHERE __attribute__((vector_size(BYTES), aligned(1), may_alias));
#define Vector VECTOR
#define Anywhere ANYWHERE

/* Compute a program's outputs for a text, and how many bits of each are true in each segment. */
static TARGET void RUN(const Program *program, const uint8_t *text, int64_t length, int64_t share, int64_t *counts) {
    const int64_t row = program->row, advance = program->advance;
    uint8_t *const work = program->work;
    memset(counts, 0, program->outputs * SEGMENTS * sizeof *counts);
    for (int64_t part = 0, x = 0; x < share; part++, x += advance) {
        const uint8_t *rows[SEGMENTS];
        for (int segment = 0; segment < SEGMENTS; segment++) {
            const int64_t from = segment * share + x - program->lead, size = row - WIDTH;
            uint8_t *const plane = work + segment * row;
            rows[segment] = text + from;
            if (from >= 0 && from + size <= length)
                continue;
            const int64_t skipped = from < 0 ? -from : 0;
            int64_t here = length - from - skipped;
            here = here < 0 ? 0 : here < size - skipped ? here : size - skipped;
            memset(plane, NEUTRAL, size);
            if (here > 0)
                memcpy(plane + skipped, text + from + skipped, here);
            rows[segment] = plane;
        }
        for (int64_t at = 0; at < row - WIDTH; at += sizeof(Vector)) {
            Vector p[SEGMENTS];
            for (int segment = 0; segment < SEGMENTS; segment++)
                p[segment] = *(const Anywhere *)(rows[segment] + at);
            SWAP(p[0], p[4], 4, 0x0F0F0F0F0F0F0F0F)
            SWAP(p[1], p[5], 4, 0x0F0F0F0F0F0F0F0F)
            SWAP(p[2], p[6], 4, 0x0F0F0F0F0F0F0F0F)
            SWAP(p[3], p[7], 4, 0x0F0F0F0F0F0F0F0F)
            SWAP(p[0], p[2], 2, 0x3333333333333333)
            SWAP(p[1], p[3], 2, 0x3333333333333333)
            SWAP(p[4], p[6], 2, 0x3333333333333333)
            SWAP(p[5], p[7], 2, 0x3333333333333333)
            SWAP(p[0], p[1], 1, 0x5555555555555555)
            SWAP(p[2], p[3], 1, 0x5555555555555555)
            SWAP(p[4], p[5], 1, 0x5555555555555555)
            SWAP(p[6], p[7], 1, 0x5555555555555555)
            for (int segment = 0; segment < SEGMENTS; segment++)
                *(Vector *)(work + segment * row + at) = p[segment];
        }
        for (const Step *step = program->code, *end = step + program->steps; step < end; step++) {
            const uint8_t *a = work + step->a, *b = work + step->b, *c = work + step->c;
            uint8_t *to = work + step->to;
            const int64_t bytes = step->vectors * WIDTH;
            switch (step->table) { CASES64(0) CASES64(64) CASES64(128) CASES64(192) }
        }
        /* What is behind the end of a segment is the next one's. */
        const int64_t left = share - x < advance ? share - x : advance, lines = (left + WIDTH - 1) / WIDTH;
        for (int64_t output = 0; output < program->outputs; output++) {
            const uint8_t *from = work + program->sources[output];
            uint8_t *to = program->told + output * program->stride + x;
            uint64_t *flags = program->flags + output * program->parts + part;
            Vector any = {0};
            uint64_t some = 0;
            for (int64_t at = 0; at < lines * WIDTH; at += sizeof(Vector))
                any |= *(const Anywhere *)(from + at);
            for (unsigned lane = 0; lane < sizeof(Vector) / 8; lane++)
                some |= any[lane];
            *flags = 0;
            if (!some)
                continue;
            for (int64_t at = 0; at < left; at += 8) {
                uint64_t word;
                memcpy(&word, from + at, 8);
                memcpy(to + at, &word, 8);
                if (!word)
                    continue;
                *flags |= UINT64_C(1) << at / WIDTH;
                for (int segment = 0; segment < SEGMENTS; segment++)
                    counts[output * SEGMENTS + segment] += __builtin_popcountll(word & UINT64_C(0x0101010101010101) << segment);
            }
        }
    }
}

#undef Vector
#undef Anywhere
#undef VECTOR
#undef ANYWHERE
#undef RUN
#undef TARGET
#undef BYTES
