// What the exposition is measured against: client_golang with as many series and nothing else to do.
// Usage: go_exporter PORT SERIES vec|const. With Debian's golang-go and
// golang-github-prometheus-client-golang-dev:
//   GO111MODULE=off GOPATH=/usr/share/gocode go build -o go_exporter benchmarks/go_exporter/main.go
package main

import (
	"crypto/md5"
	"fmt"
	"net/http"
	"os"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

var ln = []string{"project_id", "name", "repo_type", "repo_host", "token_type"}
var met = [][2]string{{"auditd_authorization_status", "Status of the authorization (0 = valid)"}, {"auditd_authorization_age_seconds", "Seconds since the authorization was created"}, {"auditd_authorization_update_timestamp_seconds", "Unix time of the last update"}, {"auditd_authorization_stale", "1 when the authorization is stale"}}
var ty = [][3]string{{"github", "https://api.github.com", "oauth"}, {"gitlab", "https://gitlab.example.com/api/v4", "private_token"}, {"gitee", "https://gitee.com/api/v5", "oauth"}, {"bitbucket", "https://api.bitbucket.org/2.0", "private_token"}, {"devcloud", "https://codehub.devcloud.cn-north-4.example.com", "password"}}

type row struct {
	l []string
	v [4]float64
}

func b2f(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
func rows(n int) []row {
	r := make([]row, n/4)
	esc := []string{` "q"`, `\b`, "\nx", "授权"}
	for i := range r {
		p := i / 100
		t := ty[(i*7919)%5]
		nm := fmt.Sprintf("auth-%04d-%05d-%s", p, i%100, t[0])
		if i%50 == 7 {
			nm += esc[i/50%4]
		}
		r[i] = row{[]string{fmt.Sprintf("%x", md5.Sum([]byte(fmt.Sprintf("project-%d", p)))), nm, t[0], t[1], t[2]}, [4]float64{b2f(i%33 == 0), 1e7 + float64(i*37%9999991), 1735689600.0 - float64(i*31%9999991), b2f(i%3 == 0)}}
	}
	return r
}

type col struct {
	d []*prometheus.Desc
	r []row
}

func (c col) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range c.d {
		ch <- d
	}
}
func (c col) Collect(ch chan<- prometheus.Metric) {
	for k, d := range c.d {
		for i := range c.r {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, c.r[i].v[k], c.r[i].l...)
		}
	}
}
func main() {
	n, _ := strconv.Atoi(os.Args[2])
	reg := prometheus.NewRegistry()
	rs := rows(n)
	if os.Args[3] == "vec" {
		for k, m := range met {
			g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: m[0], Help: m[1]}, ln)
			reg.MustRegister(g)
			for _, r := range rs {
				g.WithLabelValues(r.l...).Set(r.v[k])
			}
		}
	} else {
		c := col{r: rs}
		for _, m := range met {
			c.d = append(c.d, prometheus.NewDesc(m[0], m[1], ln, nil))
		}
		reg.MustRegister(c)
	}
	http.Handle("/metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	http.Handle("/om", promhttp.HandlerFor(reg, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	panic(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
