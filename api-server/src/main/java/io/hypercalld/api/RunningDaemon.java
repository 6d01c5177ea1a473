package io.hypercalld.api;

import io.hypercalld.api.cli.DaemonSettings;
import io.hypercalld.api.machine.ChoosePolicies;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.MachineThread;
import io.hypercalld.api.machine.Snapshots;
import io.hypercalld.api.metrics.Metrics;
import io.hypercalld.api.metrics.SnapshotTaker;
import io.hypercalld.api.platform.PlatformSource.LoadedPlatform;
import io.hypercalld.api.resource.MachinesRoutes;
import io.hypercalld.api.resource.Resources;
import io.hypercalld.api.resource.Trials;
import io.hypercalld.api.rest.Access;
import io.hypercalld.api.rest.Dispatcher;
import io.hypercalld.api.rest.HostedMachine;
import io.hypercalld.api.rest.Machines;
import io.hypercalld.api.rest.Router;
import io.hypercalld.iommu.platform.Platform;
import io.micronaut.context.ApplicationContext;
import io.micronaut.http.server.exceptions.ServerStartupException;
import io.micronaut.runtime.server.EmbeddedServer;
import java.net.BindException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Machines and the server in front of them. Thread-safe. */
public final class RunningDaemon implements AutoCloseable {
  /** What an orderly end may take; the rest of two seconds is for the server itself. */
  private static final long DRAIN_MILLIS = 1000;

  private static final int MAX_BODY_BYTES = 8 << 20;

  private final Machines machines;
  private final Dispatcher dispatcher;
  private final ApplicationContext context;
  private final EmbeddedServer server;

  private RunningDaemon(Machines machines, Dispatcher dispatcher, ApplicationContext context) {
    this.machines = machines;
    this.dispatcher = dispatcher;
    this.context = context;
    this.server = context.getBean(EmbeddedServer.class);
  }

  /**
   * Boots a machine and serves it.
   *
   * @throws CannotListen where the address is not to be had
   * @throws io.hypercalld.core.errno.Refusal where the platform cannot be booted
   */
  public static RunningDaemon start(DaemonSettings settings, Platform platform) {
    return start(settings, new LoadedPlatform(platform, List.of(), ChoosePolicies.NONE));
  }

  /**
   * Boots a machine as its source and the settings, which count more, want it, and serves it.
   *
   * @throws CannotListen where the address is not to be had
   * @throws io.hypercalld.core.errno.Refusal where the platform cannot be booted
   */
  public static RunningDaemon start(DaemonSettings settings, LoadedPlatform loaded) {
    Access access = new Access(Tokens.read(settings.listen().tokenFile()));
    MachinesRoutes.Booting booting =
        (name, platform) ->
            HostedMachine.boot(
                name, new Snapshots(() -> boot(platform)), SnapshotTaker.following());
    ChoosePolicies usual = policies(settings.policies());
    Machines machines =
        new Machines(
            booting.boot(
                Machines.DEFAULT,
                new LoadedPlatform(
                    loaded.platform(), loaded.warnings(), usual.or(loaded.policies()))));
    Metrics metrics = new Metrics(Versions.own());
    Router router =
        new Router(
            Resources.routes(
                new Resources.About(Versions.own(), Versions.swaggerUi(), settings.simApi()),
                machines.first().thread().machine().catalogue(),
                new MachinesRoutes(machines, loaded, usual, booting),
                metrics));
    Dispatcher dispatcher = new Dispatcher(router, machines, new Trials(), access, metrics);
    ApplicationContext context =
        ApplicationContext.builder()
            .banner(false)
            .deduceEnvironment(false)
            .eagerInitSingletons(false)
            .environmentPropertySource(false)
            .properties(serverProperties(settings.listen()))
            .singletons(dispatcher)
            .start();
    RunningDaemon daemon = new RunningDaemon(machines, dispatcher, context);
    daemon.listen(settings.listen());
    return daemon;
  }

  private static Machine boot(LoadedPlatform loaded) {
    Machine machine = new Machine(loaded.platform());
    machine.execute(loaded.policies());
    return machine;
  }

  private static ChoosePolicies policies(DaemonSettings.Policies chosen) {
    return new ChoosePolicies(
        chosen.domainIds(),
        chosen.quarantine(),
        chosen.profile(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty());
  }

  private static Map<String, Object> serverProperties(DaemonSettings.Listen listen) {
    Map<String, Object> properties = new HashMap<>();
    properties.put("micronaut.application.name", "hypercalld");
    properties.put("micronaut.server.host", listen.host());
    properties.put("micronaut.server.port", listen.port() == 0 ? -1 : listen.port());
    properties.put("micronaut.server.max-request-size", MAX_BODY_BYTES);
    // Foreign pages are refused by Access, which says why.
    properties.put("micronaut.server.cors.localhost-pass-through", true);
    properties.put("micronaut.server.netty.max-request-buffer-size", 2 * MAX_BODY_BYTES);
    properties.put("micronaut.netty.event-loops.default.num-threads", 2);
    return properties;
  }

  private void listen(DaemonSettings.Listen listen) {
    try {
      server.start();
    } catch (ServerStartupException e) {
      close();
      boolean taken = e.getCause() instanceof BindException;
      throw new CannotListen(
          listen.host(),
          listen.port(),
          taken ? "the port is in use or not permitted" : "the address is not available");
    }
  }

  /** Where it is served. */
  public String url() {
    return "http://%s:%d".formatted(server.getHost(), server.getPort());
  }

  /** The name of the machine. */
  public String platformName() {
    return thread().machine().platform().name();
  }

  /** The default machine's thread, for tests that want to keep it busy. */
  MachineThread<Machine, ?> thread() {
    return machines.first().thread();
  }

  /** Stops taking requests, finishes those under way, and ends. */
  @Override
  public void close() {
    dispatcher.drain();
    machines.all().forEach(each -> each.events().close());
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(DRAIN_MILLIS);
    while (machines.all().stream().anyMatch(RunningDaemon::isBusy)
        && System.nanoTime() < deadline) {
      Thread.onSpinWait();
    }
    machines.close();
    context.close();
  }

  /** Whether somebody waits for an answer, or has not heard that there is an end. */
  private static boolean isBusy(HostedMachine machine) {
    return machine.thread().inFlight() > 0 || machine.events().readers() > 0;
  }
}
