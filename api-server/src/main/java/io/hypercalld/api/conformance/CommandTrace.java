package io.hypercalld.api.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.ContextCommand;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.Invalidation;
import io.hypercalld.iommu.vtd.InvalidationDescriptor;
import io.hypercalld.iommu.vtd.IotlbCommand;
import io.hypercalld.iommu.vtd.QueueMode;
import io.hypercalld.iommu.vtd.Register;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a driver commands in the course of a trace: it switches, and it has things forgotten, by
 * registers or through the queue. Confined to one thread.
 */
final class CommandTrace {
  /**
   * A store that has hardware look at memory again.
   *
   * @param event its place in the trace
   * @param forgotten what was no longer to be used; empty where the driver switches translation
   */
  record Command(int event, Optional<Invalidation> forgotten) {}

  private final QueueMode mode;
  private final int iotlb;
  private final int address;
  private final List<Command> commands = new ArrayList<>();
  private int store;
  private long iva;

  private CommandTrace(QueueMode mode) {
    Capabilities capabilities = mode.capabilities();
    this.mode = mode;
    this.iotlb = capabilities.iotlbOffset();
    this.address = capabilities.invalidateAddressOffset();
  }

  /** The commands of a trace, in its order. */
  static List<Command> of(List<JsonNode> events, QueueMode mode) {
    CommandTrace trace = new CommandTrace(mode);
    for (int at = 0; at < events.size(); at++) {
      trace.event(at, events.get(at));
    }
    return trace.commands;
  }

  private void event(int at, JsonNode event) {
    switch (EventTrace.kind(event)) {
      case "w" -> {
        store = at;
        written((int) EventTrace.number(event, 1), EventTrace.number(event, 3));
      }
      case "inv" ->
          add(
              new InvalidationDescriptor(EventTrace.number(event, 1), EventTrace.number(event, 2))
                  .decode(mode));
      default -> {}
    }
  }

  private void written(int offset, long value) {
    if (offset == address) {
      iva = value;
    } else if (offset == iotlb && IotlbCommand.IVT.isSet(value)) {
      new IotlbCommand.Words(value, iva).decode().ifPresent(this::add);
    } else if (offset == Register.CCMD.offset() && ContextCommand.ICC.isSet(value)) {
      ContextCommand.decode(value).ifPresent(this::add);
    } else if (offset == Register.GCMD.offset() && GlobalCommand.TE.isSet(value)) {
      commands.add(new Command(store, Optional.empty()));
    }
  }

  private void add(Invalidation command) {
    if (command instanceof Invalidation.OfCaches) {
      commands.add(new Command(store, Optional.of(command)));
    }
  }
}
