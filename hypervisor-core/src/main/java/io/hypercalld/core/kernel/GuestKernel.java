package io.hypercalld.core.kernel;

import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.DomainFacet;
import java.util.Optional;

/** The kernel of a domain, where one has been booted. Confined to the machine thread. */
public final class GuestKernel implements DomainFacet {
  private Optional<RunningKernel> running = Optional.empty();

  /** The booted one. */
  public Optional<RunningKernel> running() {
    return running;
  }

  /** The one that runs is no more, nor what it had mapped. */
  public void halt() {
    running.ifPresent(kernel -> kernel.dma().close());
    running = Optional.empty();
  }

  void run(RunningKernel kernel) {
    running = Optional.of(kernel);
  }

  @Override
  public boolean relinquish() {
    running = Optional.empty();
    return true;
  }

  @Override
  public void digest(StateDigest digest) {
    running.ifPresent(digest::put);
  }
}
