package io.hypercalld.api.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

/** A suite about devices and whose they are: every row finds them all dom0's, and no guest. */
interface AssignmentBehaviours extends NumberedBehaviours<AssignmentHost> {
  @Override
  default AssignmentHost start() {
    return AssignmentHost.on("awkward-devices");
  }

  @Override
  default void begin(AssignmentHost host) {
    host.reset();
  }

  @Override
  default void end(AssignmentHost host) {
    assertThat(host.violations()).isEmpty();
  }
}
