package io.hypercalld.ioreq.server;

/** Who is told of what emulators do, on behalf of a domain's vCPUs. */
public interface AnswerWatcher {
  /** An emulator sent an event on the port of a vCPU. */
  void notified(int vcpu);

  /** A server is about to go, and its pages with it. */
  void leaving(IoServer server);

  /** Nobody is told. */
  AnswerWatcher NOBODY =
      new AnswerWatcher() {
        @Override
        public void notified(int vcpu) {}

        @Override
        public void leaving(IoServer server) {}
      };
}
