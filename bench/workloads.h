/*
 * workloads.h - who asks for what: set-ups of requests, each made once.
 *
 * They ask about streams; all operations on those are as frequent. Nine requests in ten are
 * allowed, but for unknown ids. Popularity is uniform unless it is said to be Zipf's, of exponent
 * 0.99. All struct requests (requests.h).
 */
#ifndef WEIR_BENCH_WORKLOADS_H
#define WEIR_BENCH_WORKLOADS_H

/*
 * Users: tokens of one scope, a million of them. Who is denied asks for a stream, or a basin, of
 * another user.
 */
void *requests_hot(void);     /* 512 of them */
void *requests_cold(void);    /* all of them */
void *requests_zipf(void);    /* all of them, Zipf */
void *requests_unknown(void); /* ids that the image has not */

/* So many users, in large pages and in small ones. */
void *requests_of_1k(void);
void *requests_of_10k(void);
void *requests_of_100k(void);
void *requests_of_1m(void);
void *requests_of_10m(void);
void *requests_of_100m(void);
void *requests_of_1k_small(void);
void *requests_of_10k_small(void);
void *requests_of_100k_small(void);
void *requests_of_1m_small(void);
void *requests_of_10m_small(void);

/* One token of so many prefixes, like org-07/audit/1c0ffe/, 9f86d081884c/, users/1234/. It lies in
 * no image. Who is denied asks for a prefix that differs in one byte. */
void *requests_of_1_services(void);
void *requests_of_10_services(void);
void *requests_of_100_services(void);
void *requests_of_1000_services(void);
void *requests_of_10000_services(void);
void *requests_of_1_hexadecimal(void);
void *requests_of_10_hexadecimal(void);
void *requests_of_100_hexadecimal(void);
void *requests_of_1000_hexadecimal(void);
void *requests_of_10000_hexadecimal(void);
void *requests_of_1_users(void);
void *requests_of_10_users(void);
void *requests_of_100_users(void);
void *requests_of_1000_users(void);
void *requests_of_10000_users(void);

/* A hundred thousand services of 2 to 8 scopes; five hundred brokers of 10 to 10 000 scopes, as
 * many of 10 to 100 as of 1 000 to 10 000; a million users, one in fifty of them a service instead
 * and one in five thousand a broker. Who is denied asks for a prefix that differs in one byte. */
void *requests_of_services(void);
void *requests_of_services_zipf(void);
void *requests_of_brokers(void);
void *requests_of_brokers_zipf(void);
void *requests_of_mixed(void);
void *requests_of_mixed_zipf(void);

/* A thousand ids of one home and one tag, chosen by somebody who knows the hash's key: the worst
 * that an index can hold. Who is denied has an id that it has not, of the same home and tag. */
void *requests_hostile(void);

#endif
