package io.hypercalld.api.rest;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.Wait;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** What is said both ways over a connection that stays open. Its state is the machine thread's. */
public interface Conversation {
  /**
   * What is to be said next, once there is something; empty where the time is up first.
   *
   * @throws io.hypercalld.core.errno.Refusal while waiting: there will never be anything more
   */
  Wait<Machine, Optional<Object>> next();

  /**
   * What the machine is to do about a message.
   *
   * @return what could not be done of it
   * @throws io.hypercalld.api.json.InvalidBody where it is no such message; nothing is done then
   */
  Function<Machine, List<Objection>> hear(byte[] message);

  /**
   * Why part of a message had no effect.
   *
   * @param about the request that it was about
   */
  record Objection(Optional<Long> about, Failure failure) {}
}
