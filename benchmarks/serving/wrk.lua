-- The body is the script's argument: wrk ... -s wrk.lua URL -- BODY
function init(arguments)
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  wrk.body = arguments[1]
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format("%d %d %.3f %.3f %d\n", summary.requests, summary.duration,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
