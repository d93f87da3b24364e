/* A peer made of the system's libzmq: sends or receives numbered messages.
 *
 * peer TYPE bind|connect ENDPOINT send COUNT SIZE [PAUSE_MS]
 * peer TYPE bind|connect ENDPOINT recv COUNT TIMEOUT_MS
 *
 * Prints "ready", then the number of every message received, then "end COUNT".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

static int socket_type(const char *name)
{
	if (strcmp(name, "PUB") == 0)
		return ZMQ_PUB;
	if (strcmp(name, "SUB") == 0)
		return ZMQ_SUB;
	if (strcmp(name, "PUSH") == 0)
		return ZMQ_PUSH;
	if (strcmp(name, "PULL") == 0)
		return ZMQ_PULL;
	exit(2);
}

static void check(int result, const char *what)
{
	if (result < 0) {
		fprintf(stderr, "%s: %s\n", what, zmq_strerror(zmq_errno()));
		exit(1);
	}
}

int main(int argc, char **argv)
{
	if (argc < 7)
		return 2;
	int type = socket_type(argv[1]);
	long count = atol(argv[5]), number = atol(argv[6]);
	long pause_ms = argc > 7 ? atol(argv[7]) : 0;
	void *context = zmq_ctx_new();
	void *socket = zmq_socket(context, type);
	int linger = type == ZMQ_PUB ? 100 : 10000, timeout = (int)number;

	zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
	if (type == ZMQ_SUB)
		zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "NMSG", 4);
	if (strcmp(argv[2], "bind") == 0)
		check(zmq_bind(socket, argv[3]), "bind");
	else
		check(zmq_connect(socket, argv[3]), "connect");
	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("ready");

	long done = 0;
	if (strcmp(argv[4], "send") == 0) {
		size_t size = number < 12 ? 12 : (size_t)number;
		char *body = malloc(size + 1);
		memset(body, '.', size);
		for (; done < count; done++) {
			char start[24];
			snprintf(start, sizeof start, "NMSG%08ld", done);
			memcpy(body, start, 12);
			check(zmq_send(socket, body, size, 0), "send");
			if (pause_ms > 0)
				usleep((useconds_t)pause_ms * 1000);
		}
		free(body);
	} else {
		zmq_setsockopt(socket, ZMQ_RCVTIMEO, &timeout, sizeof timeout);
		for (; done < count; done++) {
			zmq_msg_t message;
			zmq_msg_init(&message);
			if (zmq_msg_recv(&message, socket, 0) < 0)
				break;
			if (zmq_msg_size(&message) >= 12)
				printf("%.8s\n", (const char *)zmq_msg_data(&message) + 4);
			zmq_msg_close(&message);
		}
	}
	printf("end %ld\n", done);
	zmq_close(socket);
	zmq_ctx_term(context);
	return 0;
}
