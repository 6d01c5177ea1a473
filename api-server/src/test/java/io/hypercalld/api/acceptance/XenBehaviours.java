package io.hypercalld.api.acceptance;

/** A suite of Xen's numbered behaviours: every row finds D fresh, and leaves a consistent host. */
interface XenBehaviours extends NumberedBehaviours<XenHost> {
  @Override
  default XenHost start() {
    return XenHost.start();
  }

  @Override
  default void begin(XenHost host) {
    host.freshD();
  }

  @Override
  default void end(XenHost host) {
    host.assertConsistent();
  }
}
