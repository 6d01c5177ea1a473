package io.hypercalld.api.machine;

import java.util.concurrent.Executor;

/** Does each task on a thread of its own: those that take long, or wait for what is sent. */
public final class OwnThread implements Executor {
  @Override
  public void execute(Runnable task) {
    Thread.ofPlatform().name("apart").daemon().start(task);
  }
}
