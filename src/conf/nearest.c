#include "conf/nearest.h"

#define LONGEST 64

/* Copies the word without case and separators: `Time_Window` and `timewindow` are one word. */
static size_t fold(struct sv v, char out[LONGEST])
{
	size_t n = 0;

	for (size_t i = 0; i < v.n; i++) {
		char c = v.p[i];
		if (c != '_' && c != '-')
			out[n++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
	}
	return n;
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

size_t nearest_distance(struct sv a, struct sv b)
{
	/* Optimal string alignment: three rows of the edit matrix. */
	size_t rows[3][LONGEST + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2];
	char x[LONGEST], y[LONGEST];
	size_t n, m;

	if (a.n > LONGEST || b.n > LONGEST)
		return SIZE_MAX;
	n = fold(a, x);
	m = fold(b, y);
	for (size_t j = 0; j <= m; j++)
		above[j] = before[j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t *spent = before;
		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			size_t changed = above[j - 1] + (x[i - 1] != y[j - 1]);
			row[j] = least(least(above[j], row[j - 1]) + 1, changed);
			if (i > 1 && j > 1 && x[i - 1] == y[j - 2] && x[i - 2] == y[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
		before = above;
		above = row;
		row = spent;
	}
	return above[m];
}

size_t nearest_limit(struct sv word) { return word.n <= 3 ? 1 : word.n <= 7 ? 2 : word.n / 3; }

const char *nearest_word(struct sv word, const char *const *words, size_t n)
{
	size_t best = nearest_limit(word) + 1;
	const char *found = NULL;

	for (size_t i = 0; i < n; i++) {
		size_t distance = nearest_distance(word, sv_cstr(words[i]));
		if (distance < best) {
			best = distance;
			found = words[i];
		}
	}
	return found;
}
