package io.hypercalld.api.resource;

import io.hypercalld.api.json.InvalidBody;
import io.hypercalld.api.json.Size;
import io.hypercalld.api.json.Spelling;
import io.hypercalld.api.machine.ChoosePolicies;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.platform.EmbeddedPlatforms;
import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.api.platform.PlatformSource.LoadedPlatform;
import io.hypercalld.api.rest.Failure;
import io.hypercalld.api.rest.HostedMachine;
import io.hypercalld.api.rest.Machines;
import io.hypercalld.api.rest.Method;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.MalformedInput;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

/** {@code /v1/machines}: machines beside the default one. Thread-safe. */
public final class MachinesRoutes {
  private static final String ALL = "/v1/machines";
  private static final String ONE = ALL + "/{machine}";

  /** What stands at its place of a path, and in a log. */
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,62}");

  private final Machines machines;
  private final LoadedPlatform own;
  private final ChoosePolicies usual;
  private final Booting booting;
  private final Map<String, LoadedPlatform> loaded = new ConcurrentHashMap<>();

  /** Boots machines. */
  public interface Booting {
    /**
     * A machine whose thread runs.
     *
     * @throws io.hypercalld.core.errno.Refusal where the platform cannot carry it
     */
    HostedMachine boot(String name, LoadedPlatform platform);
  }

  /**
   * Routes to some machines.
   *
   * @param own the platform of the default machine, and of those that name none
   * @param usual what the daemon was started with, which counts more than what a platform chooses
   */
  public MachinesRoutes(
      Machines machines, LoadedPlatform own, ChoosePolicies usual, Booting booting) {
    this.machines = machines;
    this.own = own;
    this.usual = usual;
    this.booting = booting;
  }

  /**
   * A machine to be made.
   *
   * @param platform one of those that come with the program; left out, the default machine's
   * @param memory left out, what the platform has
   * @param policies left out, those that the daemon was started with
   */
  record NewMachine(
      String name,
      Optional<String> platform,
      Optional<Size> memory,
      Optional<MachineRoutes.Changes> policies) {}

  /**
   * A machine as it is listed.
   *
   * @param memoryBytes installed
   * @param queued commands that wait or are being executed
   * @param links where the machine has what the default one has at the root
   */
  record HostedView(
      String name,
      String platform,
      long memoryBytes,
      int iommus,
      int queued,
      long uptimeSeconds,
      Map<String, String> links) {
    static HostedView of(HostedMachine hosted) {
      Machine machine = hosted.thread().machine();
      return new HostedView(
          hosted.name(),
          machine.platform().name(),
          machine.platform().memory().bytes(),
          machine.units().size(),
          hosted.thread().inFlight(),
          hosted.uptimeSeconds(),
          Map.of(
              "api", hosted.pathOf("/v1"),
              "metrics", hosted.pathOf("/metrics"),
              "sim", hosted.pathOf("/_sim")));
    }

    /** As much of it as does not change by itself. */
    HostedView lasting() {
      return new HostedView(name, platform, memoryBytes, iommus, 0, 0, links);
    }
  }

  List<Route> routes() {
    return List.of(
        Route.get(ALL, "The machines of this daemon")
            .answering(Page.ofItems(HostedView.class))
            .by(_ -> list()),
        Route.of(Method.POST, ALL, "Boots another machine, of which all is under its own path")
            .reading(NewMachine.class)
            .answering(201, HostedView.class)
            .guardedBy(_ -> _ -> list())
            .aside(this::create, this::wouldCreate),
        Route.get(ONE, "A machine").answering(HostedView.class).by(this::show),
        Route.of(Method.DELETE, ONE, "Ends a machine; the default one ends with the daemon")
            .guardedBy(request -> _ -> show(request))
            .aside(this::remove, this::wouldRemove));
  }

  private Reply list() {
    List<HostedView> views = machines.all().stream().map(HostedView::of).toList();
    return Reply.ok(Page.whole(views))
        .tagged(Page.whole(views.stream().map(HostedView::lasting).toList()));
  }

  private Reply show(Request request) {
    HostedView view = HostedView.of(machines.get(request.place("machine")));
    return Reply.ok(view).tagged(view.lasting());
  }

  private Reply create(Request request) {
    NewMachine wanted = wanted(request);
    HostedMachine made =
        machines.add(wanted.name, () -> booting.boot(wanted.name, platform(wanted)));
    return Reply.created(ALL + "/" + made.name(), HostedView.of(made));
  }

  private Reply wouldCreate(Request request) {
    NewMachine wanted = wanted(request);
    machines.checkRoomFor(wanted.name);
    try (HostedMachine tried = booting.boot(wanted.name, platform(wanted))) {
      HostedView view = HostedView.of(tried);
      return Trials.told(201, Optional.of(view), VisibleState.made(ALL + "/" + wanted.name, view));
    }
  }

  private static NewMachine wanted(Request request) {
    NewMachine wanted = request.read(NewMachine.class);
    if (!NAME.matcher(wanted.name).matches()) {
      throw InvalidBody.at("/name", "1 to 63 letters, digits and any of ._- are needed");
    }
    return wanted;
  }

  private LoadedPlatform platform(NewMachine wanted) {
    LoadedPlatform named = wanted.platform.map(this::named).orElse(own);
    ChoosePolicies policies =
        wanted.policies.map(MachineRoutes.Changes::command).orElse(ChoosePolicies.NONE);
    try {
      LoadedPlatform sized =
          wanted.memory.map(size -> named.withMemory(size.bytes())).orElse(named);
      return new LoadedPlatform(
          sized.platform(), sized.warnings(), policies.or(usual).or(sized.policies()));
    } catch (MalformedInput e) {
      throw Failure.of(Errno.EINVAL, e.reason()).at("/memory");
    }
  }

  private LoadedPlatform named(String name) {
    if (name.equals(own.platform().name())) {
      return own;
    }
    List<String> embedded = EmbeddedPlatforms.names();
    if (!embedded.contains(name)) {
      var known = new TreeSet<>(embedded);
      known.add(own.platform().name());
      throw Failure.of(Errno.EINVAL, "there is no platform %s".formatted(name))
          .at("/platform")
          .hinting(
              Spelling.nearest(name, known)
                  .map("did you mean %s?"::formatted)
                  .or(() -> Optional.of("one of " + String.join(", ", known))));
    }
    return loaded.computeIfAbsent(name, each -> new PlatformSource.Embedded(each).load());
  }

  private Reply remove(Request request) {
    machines.remove(request.place("machine"));
    return Reply.done();
  }

  private Reply wouldRemove(Request request) {
    String name = request.place("machine");
    HostedView view = HostedView.of(machines.removable(name));
    return Trials.told(204, Optional.empty(), VisibleState.gone(ALL + "/" + name, view));
  }
}
