package io.hypercalld.api.resource;

import io.hypercalld.api.driver.Driver;
import io.hypercalld.api.driver.DriverReport;
import io.hypercalld.api.driver.DriverScript;
import io.hypercalld.api.json.InvalidBody;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.RunDriver;
import io.hypercalld.api.rest.Failure;
import io.hypercalld.api.rest.Method;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.p2m.Gfn;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** {@code /v1/domains/{d}/drivers}: drivers at work in a domain. Immutable. */
final class DriverRoutes {
  private static final int USUAL_PAGES = 4;
  private static final int MOST_PAGES = 64;

  private DriverRoutes() {}

  /**
   * What a driver is to do; what is left out is as usual.
   *
   * @param device what it drives; VGA and console need none
   * @param frontend the domain that a back end serves
   * @param pages of a request, 4 where left out
   * @param maskBits bits of an address that the device can send, 64 where left out
   * @param seed of the bytes that the device brings, 1 where left out
   * @param page the guest frame of an old driver's buffer; one of the kernel's where left out
   * @param ported whether a driver does what the mode wants that once knew another one only, true
   *     where left out
   * @param meanwhile what happens between mapping and the device's access
   */
  record Work(
      Optional<String> device,
      Optional<Integer> frontend,
      Optional<Integer> pages,
      Optional<Integer> maskBits,
      Optional<Long> seed,
      Optional<Gfn> page,
      Optional<Boolean> ported,
      Optional<DriverScript.Meanwhile> meanwhile) {
    DriverScript script(Driver driver) {
      return new DriverScript(
          driver,
          device.map(Names::sbdf),
          frontend.map(DomainId::new),
          within("pages", pages.orElse(USUAL_PAGES), MOST_PAGES),
          within("maskBits", maskBits.orElse(Long.SIZE), Long.SIZE),
          seed.orElse(1L),
          page,
          ported.orElse(true),
          meanwhile.orElse(DriverScript.Meanwhile.NOTHING));
    }

    private static int within(String member, int value, int most) {
      if (value < 1 || value > most) {
        throw InvalidBody.at("/" + member, "%s is 1 to %d", member, most);
      }
      return value;
    }
  }

  static List<Route> routes() {
    return List.of(
        Route.of(
                Method.POST,
                "/v1/domains/{d}/drivers/{driver}",
                "Has a driver do its work in a domain, and says where its bytes ended")
            .reading(Work.class)
            .answering(DriverReport.class)
            .on(DriverRoutes::run));
  }

  private static Function<Machine, Reply> run(Request request) {
    Names.DomainName name = Names.domain(request);
    DriverScript script = request.read(Work.class).script(driver(request.place("driver")));
    return machine -> {
      DomainTable domains = machine.hypervisor().domains();
      return Reply.ok(machine.execute(new RunDriver(name.in(domains).id(), script)));
    };
  }

  private static Driver driver(String text) {
    return Arrays.stream(Driver.values())
        .filter(driver -> driver.toString().equals(text))
        .findFirst()
        .orElseThrow(() -> Failure.of(Errno.ENOENT, "there is no driver %s".formatted(text)));
  }
}
