/*
 * Threads that fill memory through malloc, free most of it, and fill it again, as a server does
 * between its busy hours. Every block is written; of those that are freed, some stay in between, so
 * that the allocator gets few whole stretches back.
 *
 *     refill THREADS MIB ROUNDS KEPT
 *
 * MIB: filled by each thread in each round. KEPT: of each hundred blocks, how many stay until the
 * end of the next round. After each round all threads rest, so that allocators which give memory
 * back late get the time to.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCKS_MAX (1 << 20)

static int threads, rounds, kept;
static size_t bytes_each;
static pthread_barrier_t barrier;

static unsigned draw(unsigned *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* Mostly small blocks, and one in sixteen of up to 64 KiB. */
static size_t draw_size(unsigned *state)
{
	size_t most = draw(state) % 16 == 0 ? 64 << 10 : 4 << 10;

	return 16 + draw(state) % most;
}

static void *work(void *number)
{
	unsigned state = 1 + (unsigned)(size_t)number;
	void **blocks = calloc(BLOCKS_MAX, sizeof(*blocks));
	int count = 0;

	for (int round = 0; round < rounds; round++) {
		for (size_t bytes = 0; bytes < bytes_each && count < BLOCKS_MAX;) {
			size_t size = draw_size(&state);

			blocks[count] = malloc(size);
			memset(blocks[count++], round + 1, size);
			bytes += size;
		}
		pthread_barrier_wait(&barrier);
		int left = 0;

		for (int i = 0; i < count; i++) {
			if (round + 1 < rounds && (int)(draw(&state) % 100) < kept)
				blocks[left++] = blocks[i];
			else
				free(blocks[i]);
		}
		count = left;
		pthread_barrier_wait(&barrier);
		usleep(300000);
		/* Something to do, without which no allocator looks at its clock. */
		for (int i = 0; i < 1000; i++)
			free(malloc(draw_size(&state)));
	}
	free(blocks);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread[64];

	if (argc != 5 || (threads = atoi(argv[1])) < 1 || threads > 64) {
		fprintf(stderr, "usage: refill THREADS MIB ROUNDS KEPT\n");
		return 2;
	}
	bytes_each = (size_t)atoi(argv[2]) << 20;
	rounds = atoi(argv[3]);
	kept = atoi(argv[4]);
	pthread_barrier_init(&barrier, NULL, threads);
	for (int i = 0; i < threads; i++)
		pthread_create(&thread[i], NULL, work, (void *)(size_t)i);
	for (int i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	usleep(500000);
	return 0;
}
