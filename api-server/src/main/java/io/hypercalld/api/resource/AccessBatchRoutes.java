package io.hypercalld.api.resource;

import io.hypercalld.api.json.InvalidBody;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.Wait;
import io.hypercalld.api.rest.Method;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.guest.GuestRequest;
import io.hypercalld.core.hypercall.OrElse;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** {@code /v1/domains/{d}/accesses}: programs of a domain's vCPUs. Immutable. */
final class AccessBatchRoutes {
  private static final int MOST = 65_536;

  private AccessBatchRoutes() {}

  /** What an instruction does; in and out are a port's. */
  enum Operation {
    READ,
    WRITE,
    ADD,
    IN,
    OUT;

    private boolean isPorts() {
      return this == IN || this == OUT;
    }
  }

  /**
   * One instruction.
   *
   * @param gpa of what is no port's
   * @param port of what is
   */
  record Item(
      int vcpu,
      Operation op,
      Optional<Word> gpa,
      Optional<Word> port,
      int size,
      Optional<Word> data,
      Optional<Long> count,
      @OrElse("false") boolean df,
      Optional<Word> ram) {
    private VcpuAccess understood() {
      if (op.isPorts() != port.isPresent() || op.isPorts() == gpa.isPresent()) {
        throw InvalidBody.at(
            "/accesses",
            "%s takes %s and nothing else for an address",
            op.name().toLowerCase(Locale.ROOT),
            op.isPorts() ? "port" : "gpa");
      }
      return op.isPorts()
          ? new VcpuAccess.PortBody(
                  port.orElseThrow(),
                  VcpuAccess.PortOperation.valueOf(op.name()),
                  size,
                  data,
                  count,
                  df,
                  ram)
              .by(vcpu)
          : new VcpuAccess.MemoryBody(
                  gpa.orElseThrow(),
                  GuestRequest.Operation.valueOf(op.name()),
                  size,
                  data,
                  count,
                  df,
                  ram)
              .by(vcpu);
    }
  }

  /** Programs of several vCPUs: each executes those that name it, in their order. */
  record Batch(List<Item> accesses) {}

  /**
   * What became of each, in the order in which they were asked for.
   *
   * @param finished how many ended; the others can be asked for again, and go on where they are
   */
  record Results(int finished, List<Object> results) {}

  static List<Route> routes() {
    return List.of(
        Route.of(
                Method.POST,
                "/v1/domains/{d}/accesses",
                "Has vCPUs execute up to 65,536 instructions: each its own in order, and no other"
                    + " while one waits for a device model. Prefer: wait=30 lets them go on as"
                    + " answers come; what has not ended by then is pending and may be sent again")
            .reading(Batch.class)
            .answering(Results.class)
            .waiting(AccessBatchRoutes::execute));
  }

  private static Wait<Machine, Reply> execute(Request request) {
    Names.DomainName name = Names.domain(request);
    List<Item> items = request.read(Batch.class).accesses;
    if (items.size() > MOST) {
      throw InvalidBody.at("/accesses", "%d instructions are more than %d", items.size(), MOST);
    }
    AccessBatch batch = new AccessBatch(name);
    items.forEach(item -> batch.add(item.vcpu, item.understood()));
    return new Wait<>(
        machine -> batch.advance(machine) ? Optional.of(batch.reply()) : Optional.empty(),
        machine -> {
          batch.advance(machine);
          return batch.reply();
        },
        Waits.preferred(request));
  }
}
