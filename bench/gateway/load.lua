-- What wrk sends, from the environment; and what it has measured, as a line of JSON.
local body = os.getenv("BODY")
wrk.method = os.getenv("METHOD")
wrk.headers["authorization"] = "Bearer " .. os.getenv("CREDENTIAL")
wrk.headers["s2-basin"] = "bench-basin"
if body ~= "" then
    local file = io.open(body, "rb")
    wrk.body = file:read("*a")
    file:close()
    wrk.headers["content-type"] = os.getenv("CONTENT")
end

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        '{"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"p999":%d,"errors":%d}\n',
        summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
        latency:percentile(99.9),
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
