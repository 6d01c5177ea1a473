package io.hypercalld.api.experiment;

import java.util.List;
import java.util.Optional;

/** The tables of each way to have a guest's two devices translated. Immutable. */
public record ViommuModesAnswer(List<Row> rows) implements Findings {
  /**
   * One way.
   *
   * @param sharesP2m whether devices without a say of the guest's walk the P2M itself
   * @param mirrorTables tables that mirror the P2M
   * @param shadowTables tables that shadow the guest's
   * @param devices what the context entries of both devices point at
   * @param reached whether the first device reaches its page
   * @param logDirty the errno that log-dirty mode is refused with; empty where it is not
   */
  public record Row(
      ViommuModesExperiment.Mode mode,
      boolean sharesP2m,
      long mirrorTables,
      long shadowTables,
      List<ContextView> devices,
      boolean reached,
      Optional<String> logDirty) {}

  @Override
  public String toText() {
    TextTable table =
        new TextTable(
            "mode", "shares P2M", "mirror", "shadow", "device 0", "device 1", "DMA", "log-dirty");
    for (Row row : rows) {
      table.add(
          row.mode,
          row.sharesP2m ? "yes" : "no",
          row.mirrorTables,
          row.shadowTables,
          row.devices.get(0).words(),
          row.devices.get(1).words(),
          row.reached ? "done" : "blocked",
          row.logDirty.orElse("ok"));
    }
    return table.toString();
  }
}
