"""One measurement: a contender, a workload, a format, a number of connections."""

import json
import resource
import subprocess

from .contenders import OnBolt


class Failed(Exception):
    """A measurement that is not valid: an error, or a wrong response."""


class Meter:
    """Runs the load generator and the clients on Bolt, and parses their output."""

    def __init__(self, programs, scratch, seconds, warm_up):
        self.programs = programs
        self.scratch = scratch
        self.seconds = seconds
        self.warm_up = warm_up

    def run(self, contender, workload, accept="plain", connections=1, save=None):
        """The figures of one measurement, or None if the contender does not support it."""
        command = self._command(contender, workload, accept)
        if command is None:
            return None
        command += ["--connections", connections, "--seconds", self.seconds, "--warm-up", self.warm_up]
        if save:
            command += ["--save", save]
        process = contender.process
        if process:
            process.reset_peak()
        cpu = process.cpu if process else cpu_of_clients
        before = cpu()
        figures = self._figures(command, contender, workload)
        figures["cpu_us"] = (cpu() - before) * 1e6 / figures["served"]
        if process:
            figures["peak_bytes"] = process.peak_memory()
        return figures

    def _command(self, contender, workload, accept):
        if isinstance(contender, OnBolt):
            arguments = contender.arguments(workload)
            if arguments is None:
                return None
            parameters = self._file(workload.parameters)
            return [self.programs / contender.program, *arguments, "--parameters", parameters]
        request = contender.request(workload, accept)
        if request is None:
            return None
        command = [self.programs / "load", request.url, "--body", self._file(request.body), "--status", request.status]
        command += ["--expect", workload.expect]
        for header in request.headers:
            command += ["--header", header]
        return command + (["--transaction"] if workload.kind == "transaction" else [])

    def _file(self, value):
        file = self.scratch / "request.json"
        file.write_text(json.dumps(value, ensure_ascii=False))
        return file

    def _figures(self, command, contender, workload):
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=900)
        try:
            figures = json.loads(done.stdout)
        except ValueError:
            raise Failed(f"{contender.name}, {workload.name}: {done.stderr.strip()}") from None
        if figures["errors"] or not figures["requests"]:
            raise Failed(f"{contender.name}, {workload.name}: {figures['errors']} errors: {figures['first_error']}")
        return figures


def cpu_of_clients():
    """The CPU seconds of all programs that have ended. For a client on Bolt, the client is what is measured."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
