package io.hypercalld.api;

import io.hypercalld.api.cli.DaemonSettings;
import io.hypercalld.api.http.Limits;
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
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Machines and the server in front of them. Thread-safe. */
public final class RunningDaemon implements AutoCloseable {
  /** What an orderly end may take; the rest of two seconds is for the server itself. */
  private static final long DRAIN_MILLIS = 1200;

  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  private final Machines machines;
  private final Dispatcher dispatcher;
  private final HttpServer server;

  private RunningDaemon(Machines machines, Dispatcher dispatcher, HttpServer server) {
    this.machines = machines;
    this.dispatcher = dispatcher;
    this.server = server;
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

  /** As {@link #start(DaemonSettings, Supplier)}, of a source that has been read. */
  public static RunningDaemon start(DaemonSettings settings, LoadedPlatform loaded) {
    return start(settings, () -> loaded);
  }

  /**
   * Boots a machine as its source and the settings, which count more, want it, and serves it. While
   * it boots, whoever asks is told so.
   *
   * @param source read once the daemon listens; throws what keeps it from starting
   * @throws CannotListen where the address is not to be had
   * @throws io.hypercalld.core.errno.Refusal where the platform cannot be booted
   */
  public static RunningDaemon start(DaemonSettings settings, Supplier<LoadedPlatform> source) {
    return start(settings, source, Limits.USUAL);
  }

  static RunningDaemon start(
      DaemonSettings settings, Supplier<LoadedPlatform> source, Limits limits) {
    Dispatcher dispatcher = new Dispatcher(new Access(Tokens.read(settings.listen().tokenFile())));
    HttpServer server = new HttpServer(settings.listen(), limits, dispatcher);
    try {
      server.start();
      return new RunningDaemon(begin(dispatcher, settings, source.get()), dispatcher, server);
    } catch (RuntimeException e) {
      server.stopListening();
      server.close();
      throw e;
    }
  }

  private static Machines begin(
      Dispatcher dispatcher, DaemonSettings settings, LoadedPlatform loaded) {
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
    dispatcher.begin(router, machines, new Trials(), metrics);
    return machines;
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

  /** Where it is served. */
  public String url() {
    return server.url();
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
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(DRAIN_MILLIS);
    dispatcher.drain();
    server.stopListening();
    machines.close();
    waitUntil(deadline, () -> machines.all().stream().noneMatch(RunningDaemon::isBusy));
    waitUntil(deadline, () -> !server.isAnswering());
    server.close();
  }

  private static void waitUntil(long deadline, BooleanSupplier done) {
    while (!done.getAsBoolean() && System.nanoTime() < deadline) {
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  /** Whether somebody waits for an answer, or has not heard that there is an end. */
  private static boolean isBusy(HostedMachine machine) {
    return machine.thread().isAlive() || machine.events().readers() > 0;
  }
}
