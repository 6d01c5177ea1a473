package io.hypercalld.api.acceptance;

/** A suite of Xen's behaviours about device models: every row finds D fresh, and no server. */
interface ModelBehaviours extends XenBehaviours {
  /** What a row asks of device models. */
  @FunctionalInterface
  interface ModelCheck {
    void on(ModelHost host) throws Exception;
  }

  static Row<XenHost> model(String name, ModelCheck check) {
    return NumberedBehaviours.row(name, host -> check.on(new ModelHost(host)));
  }

  @Override
  default void begin(XenHost host) {
    new ModelHost(host).letGo();
    host.freshD();
  }
}
